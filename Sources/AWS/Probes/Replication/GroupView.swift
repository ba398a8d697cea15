internal import Basics
internal import Contracts

/// One look at a replication group, as the history and the timeline get it.
struct GroupView: Sendable {
    /// What a node of a group in cluster mode is: ElastiCache does not say which one is primary there.
    static let member = "member"

    let group: ReplicationGroup

    var isAvailable: Bool { group.status == ReplicationGroup.available }
    var nodes: [String] { group.shards.flatMap(\.nodes).map(\.cluster) }

    /// A sample for each node, and one for each that was seen before and is listed no more.
    func samples(_ probe: Label, known: Set<String>, sent: Instant, end: Instant) -> [StateSample] {
        func sample(_ node: String, _ state: Label, _ detail: String) -> StateSample {
            StateSample(
                probe: probe, node: Label(node), sent: sent, end: end, state: state, identity: Label(group.arn),
                detail: Label(detail))
        }
        let members = group.shards.flatMap(\.nodes).map { node in
            sample(node.cluster, Label(node.role ?? Self.member), group.status)
        }
        let missing = known.subtracting(nodes).sorted()
        return members + missing.map { sample($0, StateSample.unreachable, "not listed") }
    }

    /// What is otherwise than at the last look.
    func news(_ notes: inout ChangeNotes) -> [String] {
        var news = [notes.news("replication group \(group.id)", group.status)]
        for shard in group.shards {
            let place = group.shards.count > 1 ? "\(group.id)/\(shard.id)" : group.id
            if group.shards.count > 1 { news.append(notes.news("shard \(place)", shard.status)) }
            if shard.nodes.contains(where: { $0.role != nil }) {
                news.append(notes.news("the primary of \(place)", shard.primary ?? "nobody"))
            }
            if !shard.primaryEndpoint.isEmpty {
                news.append(notes.news("the primary endpoint of \(place)", shard.primaryEndpoint))
            }
        }
        news.append(
            notes.news("automatic failover of \(group.id)", group.automaticFailover, unless: "enabled"))
        return news.compactMap { $0 }
    }
}
