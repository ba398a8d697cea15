internal import Basics
internal import CLinux
internal import Glibc
internal import Process

/// Sends a flow's packets and sees them again. Blocks; every wait has an end.
struct FlowProbe {
    typealias Opening = (ProcessIdentity) throws(NetworkError) -> NetworkNamespace

    private let flow: Flow
    private let packet: FlowPacket
    private let sender: FlowSender
    private let receiver: FlowReceiver
    private let time = SystemTimeSource()

    init(_ flow: Flow, opening open: Opening) throws(NetworkError) {
        self.flow = flow
        packet = FlowPacket(flow, nonce: .random(in: .min ... .max))
        let from: NamespaceMember
        switch flow.way {
        case .leaving, .echo: from = flow.shaped
        case .arriving(let peer): from = peer
        }
        receiver = try FlowReceiver(
            packet, isTap: flow.way == .leaving, in: try open(flow.shaped.process))
        sender = try FlowSender(packet, flow, in: try open(from.process))
    }

    func run() throws(NetworkError) -> FlowObservation {
        var observation = FlowObservation(sent: 0)
        var sentAt: [Int64] = []
        sentAt.reserveCapacity(flow.count)
        var distinct: Set<Int> = []
        let start = time.now
        var deadline = start + flow.patience
        var newest = start
        func drain() {
            for seen in receiver.receive() {
                newest = time.now
                let isKnown = sentAt.indices.contains(seen.index)
                if isKnown { distinct.insert(seen.index) }
                observation.arrivals.append(
                    .init(
                        index: isKnown ? seen.index : -1,
                        after: .nanoseconds(isKnown ? seen.at - sentAt[seen.index] : 0), isIntact: seen.isIntact))
            }
        }
        while true {
            let now = time.now
            let due = start + flow.spacing * Int64(sentAt.count)
            if sentAt.count < flow.count, due <= now {
                sentAt.append(squall_realtime())
                try sender.send(sentAt.count - 1)
                deadline = time.now + flow.patience
                if sentAt.count % 64 == 0 { drain() }
                continue
            }
            drain()
            let isAll = sentAt.count == flow.count && distinct.count == flow.count
            if now >= deadline || isAll && now - newest > flow.quiet { break }
            let next = sentAt.count < flow.count ? due : min(deadline, newest + flow.quiet + .milliseconds(1))
            receiver.wait(until: max(next, now + .microseconds(200)), now)
        }
        observation.sent = sentAt.count
        return observation
    }

    /// Sends at `pace` after a burst of a tenth of a second of it, reading every few milliseconds what the leaves have
    /// counted, until one of them has been busy for `span`, or four times that has passed.
    ///
    /// Packets that are late because this thread had to wait are sent as the next burst.
    func saturate(
        at pace: Bandwidth, for span: Span, reading leaves: () throws(NetworkError) -> [TreeReader.Entry]
    ) throws(NetworkError) -> [Throughput] {
        let start = time.now
        var meter = LeafMeter()
        // Nobody looks at these one by one.
        let bytes = packet.bytes(0)
        let bytesPerSecond = Double(pace.bitsPerSecond) / 8
        let burst = min(20_000, max(32, bytesPerSecond / 10 / Double(bytes.count)))
        var (due, refilled) = (burst, start)
        while meter.busiest < span, time.now - start < span * 4 {
            while due >= 1 {
                try sender.send(bytes)
                due -= 1
            }
            usleep(5_000)
            let now = time.now
            due = min(burst, due + (now - refilled).seconds * bytesPerSecond / Double(bytes.count))
            refilled = now
            let before = time.now
            let entries = try leaves()
            meter.add(entries, between: before, time.now)
        }
        return meter.throughputs
    }
}

/// A raw socket from which probe packets go out.
final class FlowSender {
    private let socket: Descriptor
    private let packet: FlowPacket
    private let address: SocketAddress

    init(_ packet: FlowPacket, _ flow: Flow, in space: borrowing NetworkNamespace) throws(NetworkError) {
        let family = flow.destination.family
        socket = try space.socket(
            domain: family.domain, type: CInt(SOCK_RAW.rawValue) | CInt(SOCK_NONBLOCK.rawValue),
            protocol: CInt(flow.transport.number(family)))
        self.packet = packet
        address = SocketAddress(flow.destination.first, family, port: 0)
        // Packets that wait in a tree count as unsent: forty times what is usual.
        set(SOL_SOCKET, SO_SNDBUFFORCE, 8 << 20)
        let life: CInt = flow.way == .leaving ? 1 : 64
        switch family {
        case .version4:
            set(CInt(IPPROTO_IP), IP_TTL, life)
            set(CInt(IPPROTO_IP), IP_MULTICAST_LOOP, 0)
        case .version6:
            set(CInt(IPPROTO_IPV6), IPV6_UNICAST_HOPS, life)
            set(CInt(IPPROTO_IPV6), IPV6_MULTICAST_LOOP, 0)
        }
        if flow.destination.isMulticast { try bindToInterface(in: space) }
    }

    /// A group is reached by the interface that is named: without a route there is no other way to say which.
    private func bindToInterface(in space: borrowing NetworkNamespace) throws(NetworkError) {
        guard let name = try TreeCompanion.interfaces(try space.netlink(.route)).first?.name else { return }
        let bytes = Array(name.utf8)
        guard setsockopt(socket.number, SOL_SOCKET, SO_BINDTODEVICE, bytes, socklen_t(bytes.count)) == 0 else {
            throw NetworkError("bind a socket to \(name)", errno: errno)
        }
    }

    /// An option that is not taken makes packets live longer or wait earlier; the measurement shows what that changes.
    private func set(_ level: CInt, _ option: CInt, _ value: CInt) {
        var value = value
        _ = setsockopt(socket.number, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    /// A packet that the kernel does not take is lost, which is what the observation then says; except that there is no
    /// way at all.
    func send(_ index: Int) throws(NetworkError) { try send(packet.bytes(index)) }

    func send(_ bytes: [UInt8]) throws(NetworkError) {
        for _ in 0..<3 {
            let sent = address.with { sendto(socket.number, bytes, bytes.count, CInt(MSG_NOSIGNAL), $0, $1) }
            if sent >= 0 { return }
            switch errno {
            case EAGAIN: _ = readyDescriptors([socket.number], for: POLLOUT, within: .milliseconds(5))
            case EINTR: continue
            case ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL: throw NetworkError("send a probe packet", errno: errno)
            default: return
            }
        }
    }
}

/// Sees probe packets: a tap on what leaves any interface, after every queue; or a raw socket, which gets what the network
/// layer delivers, after every hook.
final class FlowReceiver {
    struct Seen {
        var index: Int
        var isIntact: Bool
        /// On the wall clock, by the kernel.
        var at: Int64
    }

    private static let outgoing = UInt8(4)  // PACKET_OUTGOING
    private let socket: Descriptor
    private let packet: FlowPacket
    private let isTap: Bool

    init(_ packet: FlowPacket, isTap: Bool, in space: borrowing NetworkNamespace) throws(NetworkError) {
        self.packet = packet
        self.isTap = isTap
        let nonBlocking = CInt(SOCK_NONBLOCK.rawValue)
        // A tap for one protocol does not see what leaves: all of them (ETH_P_ALL, in network order).
        socket =
            isTap
            ? try space.socket(
                domain: AF_PACKET, type: CInt(SOCK_DGRAM.rawValue) | nonBlocking, protocol: CInt(UInt16(3).bigEndian))
            : try space.socket(
                domain: packet.family.domain, type: CInt(SOCK_RAW.rawValue) | nonBlocking,
                protocol: CInt(packet.transport.number(packet.family)))
        for (option, value) in [(SO_RCVBUFFORCE, CInt(32 << 20)), (SO_TIMESTAMPNS, 1)] {
            var value = value
            guard setsockopt(socket.number, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
                throw NetworkError("prepare a receiver", errno: errno)
            }
        }
        if isTap { try attachFilter() }
    }

    /// Classic BPF: takes packets whose nonce is ours, so that a busy target's other packets do not fill the buffer.
    private func attachFilter() throws(NetworkError) {
        let offset = UInt32((packet.family == .version4 ? 20 : 40) + packet.header)
        // struct sock_filter: code, jump if true, jump if false, operand. Load a word, compare, take all or nothing.
        let program: [(UInt16, UInt8, UInt8, UInt32)] = [
            (0x20, 0, 0, offset), (0x15, 0, 1, packet.nonce), (0x06, 0, 0, 0xffff), (0x06, 0, 0, 0),
        ]
        let code = program.flatMap { hostOrder($0.0) + [$0.1, $0.2] + hostOrder($0.3) }
        let result = code.withUnsafeBytes { bytes in
            // struct sock_fprog: number of instructions, padding, their address.
            let address = UInt64(UInt(bitPattern: bytes.baseAddress))
            let header = hostOrder(UInt16(program.count)) + [UInt8](repeating: 0, count: 6) + hostOrder(address)
            return setsockopt(socket.number, SOL_SOCKET, SO_ATTACH_FILTER, header, socklen_t(header.count))
        }
        guard result == 0 else { throw NetworkError("filter what a tap sees", errno: errno) }
    }

    func wait(until deadline: Instant, _ now: Instant) {
        _ = readyDescriptors([socket.number], for: POLLIN, within: deadline - now)
    }

    /// Everything that has been seen since the last call.
    func receive() -> [Seen] {
        var found: [Seen] = []
        var buffer = [UInt8](repeating: 0, count: 2_048)
        // struct sockaddr_ll has 20 bytes, the packet's type among them.
        var address = [UInt8](repeating: 0, count: 32)
        var control = [UInt8](repeating: 0, count: 64)
        while true {
            guard let count = read(&buffer, &address, &control) else { return found }
            if isTap, address[10] != Self.outgoing { continue }
            guard let seen = packet.recognize(transport(buffer[..<count])) else { continue }
            found.append(Seen(index: seen.index, isIntact: seen.isIntact, at: Self.stamp(control)))
        }
    }

    private func read(_ buffer: inout [UInt8], _ address: inout [UInt8], _ control: inout [UInt8]) -> Int? {
        let (length, names, rooms) = (buffer.count, address.count, control.count)
        let count = buffer.withUnsafeMutableBytes { buffer in
            address.withUnsafeMutableBytes { address in
                control.withUnsafeMutableBytes { control in
                    var part = iovec(iov_base: buffer.baseAddress, iov_len: length)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr(
                            msg_name: address.baseAddress, msg_namelen: socklen_t(names), msg_iov: part, msg_iovlen: 1,
                            msg_control: control.baseAddress, msg_controllen: rooms, msg_flags: 0)
                        return recvmsg(socket.number, &message, 0)
                    }
                }
            }
        }
        return count >= 0 ? count : nil
    }

    /// A tap and a raw socket of IPv4 deliver the network header, too; one of IPv6 does not (RFC 3542).
    private func transport(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        switch packet.family {
        case .version4: bytes.dropFirst(Int((bytes.first ?? 0x45) & 0xf) * 4)
        case .version6: isTap ? bytes.dropFirst(40) : bytes
        }
    }

    /// struct cmsghdr: length (64 bits), level, type; then struct timespec. It is the only message that was asked for.
    private static func stamp(_ control: [UInt8]) -> Int64 {
        Int64(bitPattern: host64(control[...], at: 16)) * 1_000_000_000
            + Int64(bitPattern: host64(control[...], at: 24))
    }
}

extension AddressRange {
    var isMulticast: Bool {
        switch family {
        case .version4: first[0] & 0xf0 == 0xe0
        case .version6: first[0] == 0xff
        }
    }
}
