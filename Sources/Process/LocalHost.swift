package import Basics
package import Contracts

/// The machine the controller runs on.
///
/// Owns one event loop on which the pidfds of all processes are watched, so that any number of waits costs one thread.
package final class LocalHost: Host {
    package let name: String
    package let machine: String?
    package let bootID: String
    let loop: EventLoop
    private let time = SystemTimeSource()

    /// Starts the loop and reads the identity of this boot; a pid or start time of another boot means nothing here.
    package init() throws(SystemError) {
        let uuid = try readFile("/proc/sys/kernel/random/boot_id") ?? ""
        bootID = String(uuid.prefix { $0 != "\n" })
        let text = try readFile("/proc/sys/kernel/hostname") ?? ""
        name = String(text.prefix { $0 != "\n" })
        let machine = String((try readFile("/etc/machine-id", goneIsNil: true) ?? "").prefix { $0 != "\n" })
        self.machine = machine.isEmpty ? nil : machine
        loop = try EventLoop(name: "squall-host")
    }

    deinit {
        loop.stop()
    }

    var now: Instant { time.now }

    /// Takes hold of a process; throws ESRCH when there is none with this pid.
    package func process(_ pid: Int32) throws(SystemError) -> any HostProcess {
        try LocalProcess(pid, on: self)
    }
}
