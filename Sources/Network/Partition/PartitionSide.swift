internal import Basics
internal import Contracts
internal import Docker
internal import Process

/// One group of a partition, as `prepare` found it: namespaces of containers here, and addresses of others.
struct PartitionSide {
    private(set) var spaces: [NamespaceMember] = []
    private(set) var outside: [AddressRange] = []

    /// Looks every member up; containers that share a network namespace count as one.
    init(_ side: TargetSide, for kind: String, in context: SystemContext) async throws(FaultError) {
        for target in side.members {
            if let text = target.attributes[.addresses] {
                outside += try Self.ranges(text, of: target.name)
                continue
            }
            let space = try await NamespaceMember(target, for: kind, in: context)
            guard !space.addresses.isEmpty else {
                throw FaultError(
                    .notApplicable,
                    "container \(target.name) has no address but loopback: nothing can be cut off from it")
            }
            if !spaces.contains(where: { $0.namespace == space.namespace }) { spaces.append(space) }
        }
        outside = AddressRange.merged(outside)
    }

    /// What each of the group's namespaces is cut off from.
    ///
    /// What arrives is stopped where it arrives; what leaves is stopped here only when its receiver is not ours.
    /// The group's other members are spared where a block of the other side holds them.
    ///
    /// - Parameter offset: index of the other side's first namespace among the block's members.
    func cuts(
        facing other: PartitionSide, offset: Int, isReceiving: Bool, isSending: Bool
    ) -> [Block.Cut] {
        let first = offset == 0 ? other.spaces.count : 0
        return spaces.indices.map { index in
            Block.Cut(
                peers: isReceiving ? other.spaces.indices.map { $0 + offset } : [],
                incoming: isReceiving ? other.outside : [], outgoing: isSending ? other.outside : [],
                spared: spaces.indices.filter { $0 != index }.map { $0 + first })
        }
    }

    /// Between two containers that share one network no packet goes.
    static func refuseShared(_ a: PartitionSide, _ b: PartitionSide) throws(FaultError) {
        for left in a.spaces {
            guard let right = b.spaces.first(where: { $0.namespace == left.namespace }) else { continue }
            throw FaultError(
                .notApplicable,
                "\(left.name) and \(right.name) share one network: they cannot be cut off from each other",
                advice: "choose groups that do not overlap")
        }
    }

    private static func ranges(_ text: String, of target: String) throws(FaultError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for part in text.split(separator: ",") {
            guard let range = AddressRange(describedBy: String(part)) else {
                throw FaultError(.notApplicable, "'\(part)' of '\(target)' is no address")
            }
            guard !range.isLoopback else {
                throw FaultError(
                    .notApplicable, "\(range) of '\(target)' is loopback: it means whoever asks, and is never cut",
                    advice: "name the address by which others reach it")
            }
            ranges.append(range)
        }
        return ranges
    }
}
