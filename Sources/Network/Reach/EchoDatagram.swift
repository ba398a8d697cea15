internal import Basics
internal import CLinux
internal import Glibc

/// What goes from one namespace to another and back: who sent it in which round, and how long the other end held it.
struct EchoDatagram: Hashable {
    static let length = 32

    /// Tells our datagrams from whatever else may arrive.
    var nonce: UInt64
    var round: UInt64
    var attempt: UInt64
    /// Nanoseconds between its arrival at the other end and its way back; -1 on the way there.
    var held: Int64

    init(nonce: UInt64, round: UInt64, attempt: UInt64, held: Int64 = -1) {
        self.nonce = nonce
        self.round = round
        self.attempt = attempt
        self.held = held
    }

    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        func number(_ offset: Int) -> UInt64 {
            bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        }
        self.init(
            nonce: number(0), round: number(8), attempt: number(16), held: Int64(bitPattern: number(24)))
    }

    var bytes: [UInt8] { hostOrder(nonce) + hostOrder(round) + hostOrder(attempt) + hostOrder(held) }
}

/// One datagram that has arrived, with the kernel's own word on when: our thread may have been late to look.
struct StampedArrival {
    var message: ArraySlice<UInt8>
    var sender: ClientAddress
    /// CLOCK_REALTIME in nanoseconds.
    var at: Int64

    /// nil when nothing has arrived.
    static func receive(_ socket: CInt) -> StampedArrival? {
        var buffer = [UInt8](repeating: 0, count: 64)
        var storage = sockaddr_storage()
        var length: socklen_t = 0
        var arrived: Int64 = 0
        let count = squall_receive_stamped(socket, &buffer, buffer.count, &storage, &length, &arrived)
        guard count >= 0 else { return nil }
        return StampedArrival(
            message: buffer[..<count], sender: ClientAddress(storage, length: Int(length)), at: arrived)
    }
}
