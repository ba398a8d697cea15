internal import Basics
internal import CLinux
internal import Glibc

/// One end of the sockets between a controller and its medic. Its end of file is how a death is noticed.
struct MedicChannel: Sendable, Hashable {
    /// What is said, one byte each.
    enum Message: UInt8, Sendable, Hashable {
        /// The medic watches.
        case ready = 0x72
        /// The controller hung, and a fault of its was healed in its place.
        case relieved = 0x77
        /// The controller appended to its journal.
        case journalChanged = 0x63
        /// The controller ends in order.
        case dismissed = 0x71
        /// A target's lock, as a descriptor that comes along: held on for as long as the medic lives.
        case lock = 0x6C
    }

    /// What a look at the channel found.
    enum Reception: Sendable, Hashable {
        case message(Message, descriptor: CInt?)
        case nothing
        /// The other side is gone.
        case end
    }

    /// The descriptor under which a medic finds its channel.
    static let inherited: CInt = 3

    let descriptor: CInt

    /// A connected pair; both ends are closed on exec and belong to the caller.
    static func pair() throws(SystemError) -> (MedicChannel, MedicChannel) {
        var ends: [CInt] = [-1, -1]
        try retryingInterrupts("socketpair") { squall_message_pair(&ends) }
        return (MedicChannel(descriptor: ends[0]), MedicChannel(descriptor: ends[1]))
    }

    /// Sends without waiting. A side that is gone is noticed where its end is watched, a full channel holds older news.
    func send(_ message: Message, descriptor shared: CInt = -1) {
        _ = squall_send_message(descriptor, message.rawValue, shared)
    }

    func receive() -> Reception {
        var shared: CInt = -1
        switch squall_receive_message(descriptor, &shared) {
        case -1: return errno == EAGAIN || errno == EINTR ? .nothing : .end
        case -2: return .end
        case let byte:
            guard let message = Message(rawValue: UInt8(truncatingIfNeeded: byte)) else { return .nothing }
            return .message(message, descriptor: shared >= 0 ? shared : nil)
        }
    }

    func close() { Glibc.close(descriptor) }
}
