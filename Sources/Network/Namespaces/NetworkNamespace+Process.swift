internal import Basics
internal import Contracts
internal import Glibc
internal import Process

extension NetworkNamespace {
    /// The namespace of exactly this process: it is looked at again after the open, so that a pid that was given away in
    /// between is noticed.
    static func open(_ process: ProcessIdentity, _ host: any Host) throws(NetworkError) -> NetworkNamespace {
        guard try isAlive(process, host) else { throw NetworkError("find process \(process.pid)", errno: ESRCH) }
        let space = try NetworkNamespace(ofProcess: process.pid)
        guard try isAlive(process, host) else { throw NetworkError("find process \(process.pid)", errno: ESRCH) }
        return space
    }

    private static func isAlive(_ process: ProcessIdentity, _ host: any Host) throws(NetworkError) -> Bool {
        do throws(SystemError) {
            guard let state = try host.process(process)?.state() else { return false }
            return state != "Z" && state != "X"
        } catch {
            throw NetworkError("find process \(process.pid)", error)
        }
    }
}
