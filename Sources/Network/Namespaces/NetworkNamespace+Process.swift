internal import Basics
internal import Contracts
internal import Glibc
internal import Process

extension NetworkNamespace {
    /// The namespace of exactly this process: who it is, is asked after the open, so that a pid that was given away before
    /// is noticed.
    static func open(_ process: ProcessIdentity, _ host: any Host) throws(NetworkError) -> NetworkNamespace {
        let space = try NetworkNamespace(ofProcess: process.pid)
        let start: UInt64?
        do throws(SystemError) {
            let path = "/proc/\(process.pid)/stat"
            start = startTime(in: try Descriptor(opening: path, flags: O_RDONLY).readToEnd(subject: path))
        } catch {
            throw NetworkError("find process \(process.pid)", error)
        }
        guard start == process.startTime, host.bootID == process.bootID else {
            throw NetworkError("find process \(process.pid)", errno: ESRCH)
        }
        return space
    }

    /// Field 22 of proc(5)'s stat, in clock ticks since boot; nil for what is no such line. The name, field 2, stands in
    /// brackets and may hold spaces and brackets itself.
    ///
    /// Read here, byte by byte, because a fault in 200 namespaces asks 200 times before the first is cut off.
    static func startTime(in stat: [UInt8]) -> UInt64? {
        guard let name = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        // Field 3 is the first after the name.
        let fields = stat[(name + 1)...].split(separator: UInt8(ascii: " "), maxSplits: 20)
        guard fields.count > 19 else { return nil }
        return UInt64(String(decoding: fields[19], as: UTF8.self))
    }
}
