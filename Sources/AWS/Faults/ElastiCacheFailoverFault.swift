internal import Basics
package import Contracts
package import Experiment

/// Fails a shard of an ElastiCache replication group over, and watches the roles change.
package struct ElastiCacheFailoverFault: AWSFault, IrreversibleFault {
    package struct Undo: Codable, Sendable, Hashable {
        var group: AWSResource
        var shard: String
        /// nil in cluster mode, which does not say.
        var primary: String?
        var timeout: Span
    }

    package static let kind = "elasticache.test-failover"
    package static let manual = Manual(
        summary: "Fails a shard of a replication group over with TestFailover, and watches the roles.",
        details: """
            Sends TestFailover for one shard. Without cluster mode the effect is that another node is the primary; with \
            cluster mode ElastiCache shows no roles, and the effect is its event "Failover from primary node … to replica \
            node … completed". AWS allows fifteen of these a day and account; the sixteenth is refused. It cannot be taken \
            back: the old primary comes back as a replica.
            """,
        example: """
            - {name: fail-over, fault: elasticache.test-failover, target: sessions, shard: "0001"}
            """)
    private static let shardParameter = Parameter<String>.defaulted(
        "shard", .anyText, to: "0001", written: "\"0001\"", "The node group's identifier.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(10), written: "10m", "How long the failover may take.")
    package static let parameters: [any AnyParameter] = [shardParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.replicationGroup, .awsRegion]

    private let shard: String
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        shard = reader.value(Self.shardParameter)
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "TestFailover of shard \(shard) of \(target.name)",
            undo: "none: the old primary becomes a replica",
            privileges: [
                "elasticache:TestFailover", "elasticache:DescribeReplicationGroups", "elasticache:DescribeEvents",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .replicationGroup, in: context)
        let group = try await AWSAccess(resource.place, in: context).replicationGroup(resource.id)
        guard group.status == ReplicationGroup.available else {
            throw FaultError(
                .notApplicable, "replication group \(group.id) is \(group.status), not available",
                advice: "aws elasticache wait replication-group-available --replication-group-id \(group.id)")
        }
        guard group.automaticFailover == "enabled" else {
            throw FaultError(
                .notApplicable, "automatic failover of \(group.id) is \(group.automaticFailover)",
                advice: "aws elasticache modify-replication-group --automatic-failover-enabled …")
        }
        guard let found = group.shards.first(where: { $0.id == shard }) else {
            let known = group.shards.map(\.id).joined(separator: ", ")
            throw FaultError(.notFound, "replication group \(group.id) has no shard \(shard) (it has \(known))")
        }
        return Undo(group: resource, shard: shard, primary: found.primary, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.group.place, in: context)
        let begun = context.time.now
        let since = context.time.wallClock
        let fields = [("ReplicationGroupId", undo.group.id), ("NodeGroupId", undo.shard)]
        let answer = try await access.change(
            .query(.elasticache, "TestFailover", fields, .once), "the failover of \(undo.group.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var seen = "nothing was seen of it"
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            guard let primary = undo.primary else {
                let events = try await access.events(.elasticache, since: since)
                let done = events.first { $0.message.hasPrefix("Failover from primary node") }
                seen = done?.message ?? "ElastiCache reports no failover"
                return done != nil
            }
            let group = try await access.replicationGroup(undo.group.id)
            let now = group.shards.first { $0.id == undo.shard }?.primary
            seen = "\(now ?? "nobody") is the primary (before: \(primary))"
            return now != nil && now != primary
        }
        guard let shown else {
            let said = answer == nil ? "the answer to the call was lost" : "ElastiCache accepted the failover"
            return .unproven("\(said), and after \(undo.timeout): \(seen)")
        }
        return .confirmed(shown, evidence: seen)
    }
}
