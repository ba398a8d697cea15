internal import Glibc
internal import Synchronization

/// A TCP port of 127.0.0.1 that nobody listens on now, that the kernel gives to no client, and that no other caller in
/// this process gets. The kernel's clients have 32768 and above: a free one of those may be taken before its server starts.
package func freeLoopbackPort() -> UInt16 {
    while true {
        let port = UInt16.random(in: 10_000..<20_000)
        if handedOut.withLock({ $0.insert(port).inserted }), isFreeLoopbackPort(port) { return port }
    }
}

private let handedOut = Mutex<Set<UInt16>>([])

/// Whether nobody has this TCP port of 127.0.0.1 now.
package func isFreeLoopbackPort(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
