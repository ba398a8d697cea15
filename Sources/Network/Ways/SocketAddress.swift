internal import Glibc

/// An address with a port as the kernel's socket calls take it.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    init(_ address: [UInt8], _ family: AddressFamily, port: UInt16) {
        switch family {
        case .version4:
            var own = sockaddr_in()
            own.sin_family = sa_family_t(AF_INET)
            own.sin_port = port.bigEndian
            withUnsafeMutableBytes(of: &own.sin_addr) { $0.copyBytes(from: address) }
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: own) { target.copyMemory(from: $0) } }
        case .version6:
            var own = sockaddr_in6()
            own.sin6_family = sa_family_t(AF_INET6)
            own.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &own.sin6_addr) { $0.copyBytes(from: address) }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { target in withUnsafeBytes(of: own) { target.copyMemory(from: $0) } }
        }
    }

    /// Any address of the family, and a port that the kernel chooses.
    static func any(_ family: AddressFamily) -> SocketAddress {
        SocketAddress([UInt8](repeating: 0, count: family.length), family, port: 0)
    }

    func with<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// The port that the kernel gave a socket; 0 when it cannot be read.
    static func port(of descriptor: CInt) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        // Both families have the port in the third and fourth byte.
        return result == 0
            ? withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.load(fromByteOffset: 2, as: UInt16.self)) } : 0
    }
}
