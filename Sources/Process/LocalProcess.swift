internal import Basics
internal import CLinux
internal import Contracts
internal import Glibc
internal import Synchronization

/// A process of this machine, held by a pidfd: a recycled pid cannot be mistaken for it, its exit cannot be missed.
final class LocalProcess: HostProcess {
    let pid: Int32
    let startTime: UInt64
    private let descriptor: Descriptor
    private let host: LocalHost
    private let lastAlive: Mutex<Instant>

    /// Takes hold of `pid`; throws ESRCH when there is no such process.
    ///
    /// The start time is read after the pidfd is open and then proven to be of the same process: as long as fdinfo shows
    /// the pid, the process has not been reaped and its number not been given away (pidfd_open(2), Linux 5.4).
    init(_ pid: Int32, on host: LocalHost) throws(SystemError) {
        let number = try retryingInterrupts("pidfd_open", subject: "pid \(pid)") { squall_pidfd_open(pid, 0) }
        descriptor = Descriptor(owning: number)
        let opened = host.now
        guard let status = try ProcessStatus(folder: "/proc/\(pid)"), LocalProcess.holds(number, pid) else {
            throw SystemError("pidfd_open", errno: ESRCH, subject: "pid \(pid)")
        }
        self.pid = pid
        startTime = status.startTime
        self.host = host
        lastAlive = Mutex(opened)
    }

    private static func holds(_ descriptor: CInt, _ pid: Int32) -> Bool {
        guard let info = try? readFile("/proc/self/fdinfo/\(descriptor)") else { return false }
        let line = info.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        return line.flatMap { $0.split { $0 == " " || $0 == "\t" }.last }.flatMap { Int32($0) } == pid
    }

    /// Notes that the process lives, stamped before the look so that the bound holds; false when it has ended.
    private func isAlive() -> Bool {
        let before = host.now
        guard !isReadable(descriptor.number) else { return false }
        lastAlive.withLock { $0 = max($0, before) }
        return true
    }

    func send(signal: Int32) throws(SystemError) {
        _ = isAlive()
        try retryingInterrupts("pidfd_send_signal", subject: "pid \(pid)") {
            squall_pidfd_send_signal(descriptor.number, signal)
        }
    }

    /// The lower bound is the last instant at which we saw it alive (before a signal of ours, or at the start of the
    /// wait), the upper one the instant at which its pidfd was readable. A zombie has ended.
    func waitForExit(until deadline: Instant) async throws(SystemError) -> InstantRange? {
        if isAlive() {
            // A descriptor of its own for each wait: several may wait for one process.
            let number = try retryingInterrupts("fcntl", subject: "pidfd of \(pid)") {
                fcntl(descriptor.number, F_DUPFD_CLOEXEC, 3)
            }
            let copy = Descriptor(owning: number)
            switch try await host.loop.waitUntilReadable(copy.number, until: deadline) {
            case .ready: break
            case .deadline: return nil
            case .cancelled: throw SystemError("wait for exit", errno: ECANCELED, subject: "pid \(pid)")
            }
        }
        return InstantRange(lastAlive.withLock { $0 }, host.now)
    }

    func state() throws(SystemError) -> Character? {
        guard let status = try ProcessStatus(folder: "/proc/\(pid)"), status.startTime == startTime else { return nil }
        return status.state
    }
}
