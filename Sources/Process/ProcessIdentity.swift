package import Basics
package import Contracts
internal import Glibc

/// A process named for good: the pid alone is given away again, with the start time and the boot it is not.
package struct ProcessIdentity: Sendable, Hashable, Codable {
    package var pid: Int32
    /// Clock ticks since boot.
    package var startTime: UInt64
    package var bootID: String

    package init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }
}

extension Host {
    /// Takes hold of exactly this process; nil when it has ended, be its pid taken by another one since or not.
    package func process(_ identity: ProcessIdentity) throws(SystemError) -> (any HostProcess)? {
        guard identity.bootID == bootID else { return nil }
        do {
            let process = try process(identity.pid)
            return process.startTime == identity.startTime ? process : nil
        } catch {
            if error.errno == ESRCH { return nil }
            throw error
        }
    }
}
