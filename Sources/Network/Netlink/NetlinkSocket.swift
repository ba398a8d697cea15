internal import Basics
internal import CNetlink
internal import Glibc

/// A netlink socket of one namespace, carried by libnl; closing it is what makes the kernel heal what it owns.
///
/// Blocks for at most `patience`; used on one thread at a time, never on the cooperative pool.
final class NetlinkSocket {
    /// NETLINK_ROUTE, NETLINK_SOCK_DIAG or NETLINK_NETFILTER.
    enum Family: CInt {
        case route = 0
        case socketDiagnosis = 4
        case netfilter = 12

        /// Bytes between the netlink header and the first attribute of the family's requests.
        var headerLength: Int {
            switch self {
            case .route: 20
            // struct inet_diag_req_v2
            case .socketDiagnosis: 56
            case .netfilter: 4
            }
        }
    }

    static let patience = 4
    /// Batches of 100,000 addresses need 4 MB; libnl's own 64 KiB would end at 5,000.
    static let sendBuffer = 16 << 20
    private static let receiveBuffer = 64 << 10

    private let handle: OpaquePointer
    private let family: Family
    private var lastSequence: UInt32 = 0
    /// Whether a change that was told came between the answers to a question, and was thrown away.
    private var hasMissedChange = false
    /// The address of the socket in its namespace, as the kernel shows it as a table's owner.
    let port: UInt32

    /// Takes over the descriptor of a fresh socket; it is closed in any case.
    init(owning descriptor: CInt, _ family: Family, sendBuffer: Int = NetlinkSocket.sendBuffer) throws(NetworkError) {
        guard let handle = nl_socket_alloc() else {
            close(descriptor)
            throw NetworkError("open a netlink socket", errno: ENOMEM)
        }
        var address = sockaddr_nl()
        address.nl_family = UInt16(AF_NETLINK)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
            }
        }
        let failure = errno
        guard bound == 0, nl_socket_set_fd(handle, family.rawValue, descriptor) == 0 else {
            close(descriptor)
            nl_socket_free(handle)
            throw NetworkError("bind a netlink socket", errno: bound == 0 ? EBADF : failure)
        }
        // Answers fit: a dump's datagrams have 32 KiB at most. Without this, libnl asks for each one's length first.
        nl_socket_disable_msg_peek(handle)
        nl_socket_set_msg_buf_size(handle, Self.receiveBuffer)
        self.handle = handle
        self.family = family
        port = nl_socket_get_local_port(handle)
        do throws(SystemError) {
            try Self.configure(descriptor, sendBuffer: sendBuffer)
        } catch {
            nl_socket_free(handle)
            throw NetworkError("prepare a netlink socket", error)
        }
    }

    deinit {
        // Closes the descriptor, too.
        nl_socket_free(handle)
    }

    private static func configure(_ descriptor: CInt, sendBuffer: Int) throws(SystemError) {
        func set(_ level: CInt, _ option: CInt, _ value: CInt) -> CInt {
            var value = value
            return setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
            guard set(SOL_NETLINK, CInt(option), 1) == 0 else { throw SystemError.last("setsockopt") }
        }
        // Forcing needs CAP_NET_ADMIN in the first user namespace; without it the size is capped by wmem_max.
        if set(SOL_SOCKET, SO_SNDBUFFORCE, CInt(sendBuffer / 2)) != 0 {
            _ = set(SOL_SOCKET, SO_SNDBUF, CInt(sendBuffer / 2))
        }
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        guard setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0
        else { throw SystemError.last("setsockopt") }
    }

    var descriptor: CInt { nl_socket_get_fd(handle) }

    /// A number that no other request of this socket has.
    func nextSequence() -> UInt32 {
        lastSequence += 1
        return lastSequence
    }

    // MARK: Changes

    /// Has the kernel send what changes in these groups from now on (RTNLGRP_…): the descriptor becomes readable.
    func subscribe(to groups: [UInt32]) throws(NetworkError) {
        for group in groups {
            var number = CInt(bitPattern: group)
            let length = socklen_t(MemoryLayout<CInt>.size)
            guard setsockopt(descriptor, SOL_NETLINK, CInt(NETLINK_ADD_MEMBERSHIP), &number, length) == 0 else {
                throw NetworkError("listen to changes", errno: errno)
            }
        }
    }

    /// Takes what was sent off the socket unread: that something has changed is all that is wanted. A full buffer
    /// (ENOBUFS) says that, too.
    func discardChanges() {
        var buffer = [UInt8](repeating: 0, count: 8_192)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
            if count < 0, errno != ENOBUFS, errno != EINTR { return }
        }
    }

    /// What `read` asks for, asked again when a change came in between: it may be older than that change.
    func settled<Value>(_ read: (NetlinkSocket) throws(NetworkError) -> Value) throws(NetworkError) -> Value {
        for _ in 0..<10 {
            hasMissedChange = false
            let value = try read(self)
            if !hasMissedChange { return value }
        }
        throw NetworkError("look at a network that keeps changing", errno: EAGAIN)
    }

    // MARK: Requests

    /// Sends a batch as one datagram and waits until the kernel has answered it.
    func transact(_ batch: NetlinkBatch) throws(NetworkError) {
        try send(batch.bytes, batch.operation)
        var conversation = BatchConversation(batch, header: 16 + family.headerLength)
        while true {
            if let result = conversation.receive(try receive(batch.operation)) { return try result.get() }
        }
    }

    /// Asks for a list and hands each of its messages over; asks again when the list changed while it was read, after a
    /// pause that grows: an engine that starts containers changes the machine's own rules for tenths of a second.
    func dump(
        _ operation: String, type: UInt16, header: [UInt8], attributes: (NetlinkMessage) -> Void = { _ in }
    ) throws(NetworkError) -> [NetlinkReader.Message] {
        for attempt in 0..<16 {
            if attempt > 2 { usleep(UInt32(attempt) * 5_000) }
            let sequence = nextSequence()
            let message = try NetlinkMessage(
                type: type, flags: UInt16(NLM_F_REQUEST | NLM_F_DUMP), sequence: sequence, header: header)
            attributes(message)
            try send(try message.bytes(), operation)
            if let list = try collect(operation, sequence) { return list }
        }
        throw NetworkError("\(operation): the list kept changing", errno: EAGAIN)
    }

    /// nil when the kernel says that the list is of no one moment.
    private func collect(_ operation: String, _ sequence: UInt32) throws(NetworkError) -> [NetlinkReader.Message]? {
        var list: [NetlinkReader.Message] = []
        var isTorn = false
        while true {
            for message in NetlinkReader(try receive(operation)[...]).messages {
                // The number alone could be that of somebody else's request, of which a change tells.
                guard message.sequence == sequence, message.port == port else {
                    hasMissedChange = true
                    continue
                }
                if message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isTorn = true }
                if let answer = Acknowledgement(message), answer.errno != 0 {
                    throw NetworkError(operation, errno: answer.errno, kernelText: answer.text)
                }
                if message.type == UInt16(NLMSG_DONE) { return isTorn ? nil : list }
                list.append(message)
            }
        }
    }

    // MARK: Datagrams

    private func send(_ bytes: [UInt8], _ operation: String) throws(NetworkError) {
        var bytes = bytes
        errno = 0
        let sent = nl_sendto(handle, &bytes, bytes.count)
        guard sent < 0 else { return }
        throw NetworkError("\(operation) (\(bytes.count) bytes)", errno: errno == 0 ? EIO : errno)
    }

    private func receive(_ operation: String) throws(NetworkError) -> [UInt8] {
        var sender = sockaddr_nl()
        var buffer: UnsafeMutablePointer<UInt8>?
        errno = 0
        let count = nl_recv(handle, &sender, &buffer, nil)
        guard count > 0, let buffer else {
            throw NetworkError("\(operation): no answer", errno: errno == 0 ? ETIMEDOUT : errno)
        }
        defer { free(buffer) }
        return [UInt8](UnsafeBufferPointer(start: buffer, count: Int(count)))
    }
}
