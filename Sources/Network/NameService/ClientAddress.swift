internal import Glibc

/// Who sent a datagram, to answer it.
struct ClientAddress: Sendable {
    private let storage: [UInt8]

    private init(storage: [UInt8]) {
        self.storage = storage
    }

    /// The first `length` bytes of an address as the kernel wrote it.
    init(_ address: sockaddr_storage, length: Int) {
        storage = withUnsafeBytes(of: address) { Array($0.prefix(length)) }
    }

    /// One datagram and its sender; nil when there is none.
    static func receive(_ socket: CInt) -> (message: [UInt8], from: ClientAddress)? {
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var storage = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
        var length = socklen_t(storage.count)
        let count = storage.withUnsafeMutableBytes { raw -> Int in
            guard let address = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return -1 }
            return recvfrom(socket, &buffer, buffer.count, 0, address, &length)
        }
        guard count >= 0, Int(length) <= storage.count else { return nil }
        return (Array(buffer[..<count]), ClientAddress(storage: Array(storage[..<Int(length)])))
    }

    /// An answer that cannot be sent is one that is lost.
    func send(_ message: [UInt8], from socket: CInt) {
        storage.withUnsafeBytes { raw in
            guard let address = raw.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return }
            _ = sendto(socket, message, message.count, CInt(MSG_NOSIGNAL), address, socklen_t(raw.count))
        }
    }
}
