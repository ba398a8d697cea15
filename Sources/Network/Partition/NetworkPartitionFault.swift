package import Basics
package import Contracts
package import Experiment
internal import Glibc
internal import Process

/// Cuts the network between two groups: each keeps its inner connections, its clients and its disks.
package struct NetworkPartitionFault: Fault {
    /// The block as a whole, and which of its members stand on which side.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: String
        package var block: Block
        /// Per member of the block, whether it belongs to side `a`.
        package var isOnSideA: [Bool]
        /// Addresses of members that are no containers, by side.
        package var outsideA: [AddressRange]
        package var outsideB: [AddressRange]
        /// The process whose sockets keep the block alive: what a person ends when nothing else helps.
        package var owner: Int32
    }

    package static let kind = "network.partition"
    package static let requires: Set<Target.Attribute> = []
    package static let targeting = Targeting.between

    private static let direction = Parameter<BlockDirection>.defaulted(
        "direction", .choice(.both), to: .both, written: "both",
        "which way nothing passes: both, to (from a to b) or from (from b to a)")
    private static let mode = Parameter<BlockMode>.defaulted(
        "mode", .choice(.drop), to: .drop, written: "drop",
        "drop: packets are lost; reject-tcp: TCP is reset, the rest lost; reject-icmp: answered as prohibited")
    private static let protocols = Parameter<[Traffic.TransportProtocol]>.defaulted(
        "protocols", .list(.choice(.tcp)), to: [], written: "all", "only these: tcp, udp, icmp")
    private static let ports = Parameter<[PortRange]>.defaulted(
        "ports", .list(.portRange), to: [], written: "all",
        "only packets that go to or come from these TCP and UDP ports")
    package static let parameters: [any AnyParameter] = [direction, mode, protocols, ports]

    /// Each range is two rules per protocol and version; whoever needs more wants a block without ports.
    private static let mostRanges = 16

    package let direction: BlockDirection
    package let mode: BlockMode
    package let traffic: Traffic

    package init(from reader: inout ParameterReader) {
        direction = reader.value(Self.direction)
        mode = reader.value(Self.mode)
        traffic = Traffic(protocols: reader.value(Self.protocols), ports: reader.value(Self.ports))
        if !traffic.ports.isEmpty, traffic.protocols.contains(.icmp) {
            reader.diagnostics.error("ICMP has no ports", at: reader.location(of: Self.protocols.key))
        }
        if traffic.ports.count > Self.mostRanges {
            reader.diagnostics.error(
                "at most \(Self.mostRanges) ports or ranges", at: reader.location(of: Self.ports.key),
                notes: ["join neighbours to a range, or leave ports out"])
        }
        if mode == .rejectTCP, !traffic.includes(.tcp) {
            reader.diagnostics.error(
                "reject-tcp resets TCP connections, and protocols leaves TCP out",
                at: reader.location(of: Self.mode.key))
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        let names = target.sides.map { side in "\(side.role) (\(side.members.map(\.name).joined(separator: ", ")))" }
        let way =
            switch direction {
            case .both: "between \(names.joined(separator: " and "))"
            case .to: "from \(names.joined(separator: " to "))"
            case .from: "from \(names.reversed().joined(separator: " to "))"
            }
        return PlannedOperation(
            operation:
                "block \(traffic.summary) \(way) in the containers' network namespaces (nf_tables, \(mode.rawValue))",
            undo: "delete our tables; the kernel does so by itself when squall ends, and lifts the block when it hangs",
            privileges: ["root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE", "the Docker engine"])
    }

    // MARK: Prepare

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        guard target.sides.count == 2 else {
            throw FaultError(
                .notApplicable, "network.partition acts between two sides", advice: "write between: {a: …, b: …}")
        }
        let a = try await PartitionSide(target.sides[0], in: context)
        let b = try await PartitionSide(target.sides[1], in: context)
        try refuseOverlap(a, b)
        let fromA = direction != .from
        let fromB = direction != .to
        let members = a.spaces + b.spaces
        let cuts =
            a.cuts(facing: b, offset: a.spaces.count, isReceiving: fromB, isSending: fromA)
            + b.cuts(facing: a, offset: 0, isReceiving: fromA, isSending: fromB)
        guard !members.isEmpty else {
            throw FaultError(
                .notApplicable, "neither side of '\(target.name)' has a container on this machine",
                advice: "packets are stopped in a container's network namespace: select containers on one side")
        }
        return Undo(
            target: target.name,
            block: Block(
                mark: NetworkHold.mark(in: context), run: context.run, traffic: traffic, mode: mode, members: members,
                cuts: cuts),
            isOnSideA: a.spaces.map { _ in true } + b.spaces.map { _ in false }, outsideA: a.outside,
            outsideB: b.outside, owner: getpid())
    }

    private func refuseOverlap(_ a: PartitionSide, _ b: PartitionSide) throws(FaultError) {
        for left in a.spaces {
            if let right = b.spaces.first(where: { $0.namespace == left.namespace }) {
                throw FaultError(
                    .notApplicable,
                    "\(left.name) and \(right.name) share one network: they cannot be cut off from each other",
                    advice: "choose groups that do not overlap")
            }
        }
        for left in a.addresses {
            if let right = b.addresses.first(where: { $0.overlaps(left) }) {
                throw FaultError(
                    .notApplicable, "\(left) is on both sides (\(right) on the other)",
                    advice: "choose groups that do not overlap")
            }
        }
    }

    // MARK: Heal

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await NetworkHold.end(undo.block.mark, in: context)
    }

    package static func leftover(
        of undo: Undo, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await NetworkHold.armed(undo.block.mark, undo.block.members, in: context).map { member in
            Leftover(
                kind: kind, target: undo.target,
                description: "the table \(undo.block.mark) still blocks peers of \(member.name)",
                commands: manualHeal(undo))
        }
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        NetworkHold.manualHeal(owner: undo.owner, undo.block.members)
    }

    /// Nothing is accepted for later: a request to the kernel is carried out when it is sent.
    package static func lateEffect(of undo: Undo) -> Span { .zero }
}

extension FaultError {
    /// A failed request to the kernel as a fault's failure: what was to be done, where, why not, and what to do next.
    init(_ action: String, on target: String, _ error: NetworkError) {
        let code: Code =
            switch error.code {
            case .denied: .denied
            case .notFound: .notFound
            case .exists: .foreignState
            case .timeout: .timeout
            case .unsupported: .notApplicable
            case .tooLarge, .invalid, .unexpected: .unexpected
            }
        let advice =
            switch error.code {
            case .denied: "run squall as root or with CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE"
            case .unsupported: "this kernel lacks nf_tables: modprobe nf_tables"
            case .exists, .notFound, .tooLarge, .timeout, .invalid, .unexpected: ""
            }
        self.init(code, "cannot \(action) on \(target)", advice: advice, underlying: error)
    }
}
