/// The ways that are tried to show a cut: between its members, and from them to addresses outside.
struct PartitionWays {
    /// More would show nothing new and take time; every member is among the first.
    private static let mostClosing = 192
    private static let mostStaying = 64
    private static let mostCounted = 64

    /// Tried by asking whether something arrives, or somebody answers.
    private(set) var answered: [ProbePath] = []
    /// Indices of those on which nothing may pass any more; the others must stay open when they were.
    private(set) var closing: Set<Int> = []
    /// To addresses where nobody of ours listens: whether a rule stops what leaves is what can be shown.
    private(set) var counted: [ProbePath] = []
    /// How the first are tried, for the evidence.
    private(set) var method = "udp datagrams"
    /// Why there is nothing to try; nil when there is.
    private(set) var silence: String?

    private let block: Block

    init(_ block: Block) {
        self.block = block
        guard let method = memberMethod() else {
            silence = "squall has no packet of its own for \(block.traffic.summary): nothing shows the effect"
            return
        }
        addMembers(method)
        addOutside()
        if answered.isEmpty, counted.isEmpty {
            silence =
                "no way can be tried: name single addresses with ports, so that a connection can be opened before and after"
        }
    }

    /// A datagram shows each direction by itself; TCP is tried where UDP is not what is blocked.
    private mutating func memberMethod() -> ProbePath.Method? {
        if block.traffic.ports.isEmpty, block.traffic.includes(.udp) { return .datagram }
        guard block.traffic.includes(.tcp) else { return nil }
        method = "tcp connections"
        return block.traffic.ports.first.map { asking($0.first) } ?? .connection
    }

    /// A reset that the rule itself sends must not count as an answer of the service.
    private func asking(_ port: UInt16) -> ProbePath.Method {
        block.mode == .drop ? .answer(port: port) : .service(port: port)
    }

    // MARK: Members

    private mutating func addMembers(_ method: ProbePath.Method) {
        let count = block.members.count
        guard count > 1 else { return }
        // By distance, so that every member is both sender and receiver before any is for the second time.
        for distance in 1..<count {
            for source in 0..<count { add(source, (source + distance) % count, method) }
        }
    }

    private mutating func add(_ source: Int, _ target: Int, _ method: ProbePath.Method) {
        for address in block.members[target].addresses where !address.isLinkLocal {
            guard block.members[source].addresses.contains(where: { $0.family == address.family }) else { continue }
            let path = ProbePath(from: source, to: target, address: address, method: method)
            // A connection needs both directions: it shows nothing about one that is to stay open.
            let back = method != .datagram && isCut(target, source, address.family)
            if back || isCut(source, target, address.family) {
                guard closing.count < Self.mostClosing else { return }
                closing.insert(answered.count)
            } else {
                guard answered.count - closing.count < Self.mostStaying else { return }
            }
            answered.append(path)
        }
    }

    /// Whether what one member sends to another is stopped: as from a peer, or as from an outsider whose block it is in.
    private func isCut(_ source: Int, _ target: Int, _ family: AddressFamily) -> Bool {
        let (from, to) = (block.cuts[source], block.cuts[target])
        if to.peers.contains(source) { return true }
        if to.spared.contains(source) { return false }
        func holds(_ ranges: [AddressRange], _ member: Int) -> Bool {
            let own = block.members[member].addresses.filter { $0.family == family }
            return ranges.contains { range in own.contains { $0.overlaps(range) } }
        }
        return holds(to.incoming, source) || holds(from.outgoing, target)
    }

    // MARK: Outside

    private mutating func addOutside() {
        let port = block.traffic.ports.first?.first
        for (source, cut) in block.cuts.enumerated() {
            for range in Set(cut.incoming + cut.outgoing).sorted() {
                if range.isSingle, block.traffic.includes(.tcp), let port {
                    method = "tcp connections"
                    closing.insert(answered.count)
                    answered.append(ProbePath(from: source, to: nil, address: range, method: asking(port)))
                }
                if cut.outgoing.contains(range) { addCounted(source, range, port) }
            }
        }
    }

    /// One address of the range, in a protocol that the rules are about.
    private mutating func addCounted(_ source: Int, _ range: AddressRange, _ port: UInt16?) {
        guard counted.count < Self.mostCounted else { return }
        guard block.members[source].addresses.contains(where: { $0.family == range.family && !$0.isLinkLocal }) else {
            return
        }
        // 9 is the port that discards what it gets (RFC 863). The begin of a connection meets its rule before anything is
        // asked of the network; a datagram has to have found its next hop.
        let number = port ?? 9
        let method: ProbePath.Method
        if block.traffic.includes(.tcp) {
            method = .outgoing(.tcp, port: number)
        } else if block.traffic.includes(.udp) {
            method = .outgoing(.udp, port: number)
        } else {
            return
        }
        counted.append(ProbePath(from: source, to: nil, address: sample(of: range), method: method))
    }

    /// An address of a block that stands for a machine: not its first, which is the network's own name, and for
    /// "everybody" one that is reserved for documentation (RFC 5737, RFC 3849), so that nobody hears from us.
    private func sample(of range: AddressRange) -> AddressRange {
        if range.isSingle { return range }
        let reserved =
            range.family == .version4
            ? AddressRange(range.family, [192, 0, 2, 1])
            : AddressRange(range.family, [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1])
        if range.overlaps(reserved) { return reserved }
        return range.second.map { AddressRange(range.family, $0) } ?? range
    }
}

extension AddressRange {
    /// fe80::/10 and 169.254.0.0/16 mean a neighbour on one cable; a socket would have to name the cable, too.
    var isLinkLocal: Bool {
        switch family {
        case .version4: first[0] == 169 && first[1] == 254
        case .version6: first[0] == 0xfe && first[1] & 0xc0 == 0x80
        }
    }

    /// The address after the first one; nil when that is no part of it.
    var second: [UInt8]? { isSingle ? nil : AddressRange(family, first).afterLast }
}
