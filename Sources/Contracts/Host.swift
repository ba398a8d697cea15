package import Basics

/// The machine on which a target's processes run: local today, an agent on another host later.
///
/// Nothing above this protocol may assume that a target's kernel is its own.
package protocol Host: Sendable {
    /// Identifies the machine in the journal, with its boot.
    var name: String { get }
    /// What names the installation behind the name, `/etc/machine-id`; nil where there is none.
    var machine: String? { get }
    var bootID: String { get }
    /// Takes hold of a process so that neither a recycled pid nor a missed exit can fool us.
    func process(_ pid: Int32) throws(SystemError) -> any HostProcess
}

/// One process, held by a pidfd.
package protocol HostProcess: Sendable {
    var pid: Int32 { get }
    /// Start time in clock ticks since boot: with the pid it names a process for good.
    var startTime: UInt64 { get }
    func send(signal: Int32) throws(SystemError)
    /// The interval in which the process ended, or nil when it still lives at `deadline`.
    func waitForExit(until deadline: Instant) async throws(SystemError) -> InstantRange?
    /// The kernel's state letter (`R`, `S`, `T`, `Z`, …); nil when the process is gone.
    func state() throws(SystemError) -> Character?
}
