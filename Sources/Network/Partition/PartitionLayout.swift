internal import Basics
internal import Contracts
internal import Glibc

/// Who is cut off from whom, as `prepare` found it.
struct PartitionLayout {
    private(set) var members: [NamespaceMember]
    private(set) var cuts: [Block.Cut]
    /// `pg-1 | pg-2, pg-3`
    private(set) var text: String
    /// What divided one group; nil where the sides are named.
    private(set) var seed: UInt64?

    /// Looks everybody up and refuses what cannot be cut; changes nothing.
    init(
        _ settings: PartitionSettings, _ target: Target, for kind: String, in context: SystemContext
    ) async throws(FaultError) {
        if let topology = settings.topology {
            guard target.sides.count == 1 else { throw Self.wrongSides(kind) }
            let group = try await PartitionSide(target.sides[0], for: kind, in: context)
            try self.init(topology, group, settings, of: target)
        } else {
            guard target.sides.count == 2 else { throw Self.wrongSides(kind) }
            let a = try await PartitionSide(target.sides[0], for: kind, in: context)
            let b = try await PartitionSide(target.sides[1], for: kind, in: context)
            try self.init(a, b, settings.direction, of: target)
        }
        if !settings.isForced { try await ControlPath.current(in: context).refuse(addresses) }
    }

    private static func wrongSides(_ kind: String) -> FaultError {
        FaultError(
            .notApplicable, "\(kind) acts between two sides, or within one group",
            advice: "write between: {a: …, b: …}, or target: … with topology")
    }

    /// All that a packet may not come from or go to.
    private var addresses: [AddressRange] {
        cuts.flatMap { cut in cut.incoming + cut.outgoing + cut.peers.flatMap { members[$0].addresses } }
    }

    // MARK: Two sides

    private init(
        _ a: PartitionSide, _ b: PartitionSide, _ direction: BlockDirection, of target: Target
    ) throws(FaultError) {
        try Self.refuseOverlap(a, b)
        let (fromA, fromB) = (direction != .from, direction != .to)
        members = a.spaces + b.spaces
        cuts =
            a.cuts(facing: b, offset: a.spaces.count, isReceiving: fromB, isSending: fromA)
            + b.cuts(facing: a, offset: 0, isReceiving: fromA, isSending: fromB)
        text = target.name
        guard !members.isEmpty else {
            throw FaultError(
                .notApplicable, "neither side of '\(target.name)' has a container on this machine",
                advice: "packets are stopped in a container's network namespace: select containers on one side")
        }
    }

    private static func refuseOverlap(_ a: PartitionSide, _ b: PartitionSide) throws(FaultError) {
        try PartitionSide.refuseShared(a, b)
        for (left, right) in [(a, b), (b, a)] {
            // A block may hold the other side's own addresses: everybody else in it is meant (0.0.0.0/0).
            let own = left.spaces.flatMap(\.addresses)
            try refuse(own, right.outside.filter(\.isSingle) + right.spaces.flatMap(\.addresses))
        }
        try refuse(a.outside, b.outside)
    }

    private static func refuse(_ left: [AddressRange], _ right: [AddressRange]) throws(FaultError) {
        for one in left {
            if let other = right.first(where: { $0.overlaps(one) }) {
                throw FaultError(
                    .notApplicable, "\(one) is on both sides (\(other) on the other)",
                    advice: "choose groups that do not overlap")
            }
        }
    }

    // MARK: One group

    private init(
        _ topology: Topology, _ group: PartitionSide, _ settings: PartitionSettings, of target: Target
    ) throws(FaultError) {
        guard group.outside.isEmpty else {
            throw FaultError(
                .notApplicable, "'\(target.name)' has addresses: only containers can be divided (\(topology.rawValue))",
                advice: "write between: {a: …, b: …} for addresses")
        }
        guard group.spaces.count >= topology.fewest else {
            throw FaultError(
                .notApplicable,
                "\(topology.rawValue) divides at least \(topology.fewest) containers with a network of their own; "
                    + "'\(target.name)' has \(group.spaces.count)",
                advice: "select more containers, or another topology")
        }
        let seed = settings.seed ?? UInt64.random(in: 0...UInt64(Int64.max))
        let division = topology.divide(group.spaces.map(\.name), settings.direction, seed: seed)
        members = group.spaces
        cuts = division.deaf.map { Block.Cut(peers: $0) }
        text = division.text
        self.seed = seed
    }
}
