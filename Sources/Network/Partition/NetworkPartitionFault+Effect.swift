internal import Basics
package import Contracts

extension NetworkPartitionFault {
    /// Long enough for an answer over a slow link, short enough not to hold up the run; nothing is waited for when all
    /// has arrived.
    private static let patience = Span.milliseconds(500)

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        let block = undo.block
        let ways = PartitionWays(undo, direction: direction)
        do throws(NetworkError) {
            let before = try await kernel.passing(ways.all, of: block.members, within: Self.patience)
            let armed = try await NetworkHold.begin(block.work, kernel, in: context)
            for (member, cut) in zip(block.members, block.cuts) where !cut.isEmpty {
                let count = try await kernel.elements(of: block.mark, in: member) ?? 0
                if count == 0 { return .unproven("no address is blocked in \(member.name) after it was cut off") }
            }
            let after = try await kernel.passing(ways.all, of: block.members, within: Self.patience)
            return judge(ways, before: before, after: after, armed)
        } catch {
            throw FaultError("cut the network", on: undo.target, error)
        }
    }

    /// The effect is shown when something passed before that does not pass now, and the ways that must stay open are.
    private func judge(
        _ ways: PartitionWays, before: Set<Int>, after: Set<Int>, _ armed: InstantRange
    ) -> Effect {
        let wasOpen = before.intersection(ways.closing)
        guard !wasOpen.isEmpty else {
            return .unproven(ways.silence ?? "nothing passed between the two sides before they were cut off")
        }
        let leaks = after.intersection(ways.closing)
        if let leak = leaks.min() {
            return .unproven("packets still pass from \(ways.text(leak)) after the two sides were cut off")
        }
        let lost = before.intersection(ways.staying).subtracting(after)
        if let first = lost.min() {
            return .unproven("nothing passes from \(ways.text(first)) any more, which was to stay open")
        }
        let kept = ways.staying.isEmpty ? "" : ", \(before.intersection(ways.staying).count) the other way still pass"
        return .confirmed(
            armed,
            evidence: "the rules are read back; \(wasOpen.count) of \(ways.closing.count) ways (\(ways.method)) passed "
                + "before and none does now\(kept)")
    }
}

/// The ways that are tried to show a partition: from every member of one side to every address of the other.
struct PartitionWays {
    /// More would show nothing new and take time: every member of a side is among the first.
    private static let most = 256

    private(set) var all: [ProbePath] = []
    /// Indices of those on which nothing may pass any more.
    private(set) var closing: Set<Int> = []
    /// Indices of those that must stay open.
    private(set) var staying: Set<Int> = []
    /// How they are tried, for the evidence.
    private(set) var method = "udp datagrams"
    /// Why there is nothing to try; nil when there is.
    private(set) var silence: String?
    private let names: [String]

    init(_ undo: NetworkPartitionFault.Undo, direction: BlockDirection) {
        names = undo.block.members.map(\.name)
        let sideA = undo.isOnSideA.indices.filter { undo.isOnSideA[$0] }
        let sideB = undo.isOnSideA.indices.filter { !undo.isOnSideA[$0] }
        guard let method = method(for: undo.block) else {
            silence = "squall has no packet of its own for \(undo.block.traffic.summary): nothing shows the effect"
            return
        }
        add(sideA, sideB, undo, method, isClosing: direction != .from)
        add(sideB, sideA, undo, method, isClosing: direction != .to)
        addOutside(sideA, undo.outsideB, undo, direction)
        addOutside(sideB, undo.outsideA, undo, direction)
        if all.isEmpty {
            silence =
                "no way can be tried: name single addresses with ports, so that a connection can be opened before and after"
        }
    }

    /// A datagram shows each direction by itself; TCP is tried where UDP is not what is blocked.
    private mutating func method(for block: Block) -> ProbePath.Method? {
        if block.traffic.ports.isEmpty, block.traffic.includes(.udp) { return .datagram }
        guard block.traffic.includes(.tcp) else { return nil }
        method = "tcp connections"
        guard let port = block.traffic.ports.first?.first else { return .connection }
        // A reset that the rule itself sends must not count as an answer of the service.
        return block.mode == .drop ? .answer(port: port) : .service(port: port)
    }

    private mutating func add(
        _ from: [Int], _ to: [Int], _ undo: NetworkPartitionFault.Undo, _ method: ProbePath.Method, isClosing: Bool
    ) {
        for target in to {
            for address in undo.block.members[target].addresses where !address.isLinkLocal {
                for source in from {
                    guard undo.block.members[source].addresses.contains(where: { $0.family == address.family }) else {
                        continue
                    }
                    // A connection needs both directions: it shows nothing about one that is to stay open.
                    let needsBoth = method != .datagram
                    append(
                        ProbePath(from: source, to: target, address: address, method: method),
                        isClosing: isClosing || needsBoth)
                }
            }
        }
    }

    private mutating func addOutside(
        _ from: [Int], _ ranges: [AddressRange], _ undo: NetworkPartitionFault.Undo, _ direction: BlockDirection
    ) {
        let traffic = undo.block.traffic
        guard traffic.includes(.tcp), let port = traffic.ports.first?.first else { return }
        method = "tcp connections"
        for range in ranges where range.isSingle {
            for source in from {
                let method: ProbePath.Method = undo.block.mode == .drop ? .answer(port: port) : .service(port: port)
                append(ProbePath(from: source, to: nil, address: range, method: method), isClosing: true)
            }
        }
    }

    private mutating func append(_ path: ProbePath, isClosing: Bool) {
        guard all.count < Self.most else { return }
        if isClosing { closing.insert(all.count) } else { staying.insert(all.count) }
        all.append(path)
    }

    /// `pg-1 to 10.0.0.2`
    func text(_ index: Int) -> String {
        let path = all[index]
        return "\(names[path.from]) to \(path.to.map { names[$0] + " " } ?? "")\(path.address)"
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
}
