internal import Basics
internal import CLinux
internal import Glibc
internal import Process

/// A member's namespace, open for sockets of a probe, and what tells when its process ends.
///
/// It must be let go then: what is open here would keep a dead namespace alive.
final class NamespaceHold {
    let process: ProcessIdentity
    let space: NetworkNamespace
    private let exit: Descriptor

    init(_ member: NamespaceMember) throws(NetworkError) {
        process = member.process
        let number = squall_pidfd_open(member.process.pid, 0)
        guard number >= 0 else { throw NetworkError("hold process \(member.process.pid)", errno: errno) }
        exit = Descriptor(owning: number)
        space = try NetworkNamespace(ofProcess: member.process.pid)
        guard space.identity == member.namespace else {
            throw NetworkError("\(member.name) has moved to another network namespace", errno: ESRCH)
        }
    }

    /// Readable once the process has ended.
    var ended: CInt { exit.number }
}
