import Basics
import Glibc

/// A listening socket whose backlog is full: the kernel drops further SYNs, so connecting to it never ends.
final class FullListener {
    let port: UInt16
    private var sockets: [CInt] = []

    init() throws {
        let listener = try Self.socket()
        sockets.append(listener)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard bound else { throw SystemError.last("bind") }
        port = UInt16(bigEndian: address.sin_port)
        // A backlog of 0 holds one connection; the others stay in SYN-SENT.
        for _ in 0..<4 {
            let filler = try Self.socket()
            sockets.append(filler)
            withUnsafePointer(to: &address) {
                _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, length) }
            }
        }
    }

    deinit {
        for socket in sockets { close(socket) }
    }

    private static func socket() throws(SystemError) -> CInt {
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        return try retryingInterrupts("socket") { Glibc.socket(AF_INET, kind, 0) }
    }
}
