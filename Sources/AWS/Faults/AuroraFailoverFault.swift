internal import Basics
package import Contracts
package import Experiment

/// Asks RDS to fail an Aurora cluster over, and watches the writer change.
package struct AuroraFailoverFault: AWSFault, IrreversibleFault {
    /// Who wrote before. A failover cannot be taken back.
    package struct Undo: Codable, Sendable, Hashable {
        var cluster: AWSResource
        var writer: String
        var target: String?
        var timeout: Span
    }

    package static let kind = "aurora.failover"
    package static let manual = Manual(
        summary: "Fails an Aurora cluster over to a replica, and watches until another instance writes.",
        details: """
            Sends FailoverDBCluster; `to` chooses the replica, else Aurora does, by promotion tier. The call's answer proves \
            nothing: the effect is that another member has the writer's flag, within `timeout`; it began between the last \
            look at which the old writer was the writer of an available cluster and the first at which it was not. When the \
            answer is lost the call is not sent again: a second one would fail over again.

            A failover is over only when the writer changed, the cluster is available and a write through its writer \
            endpoint succeeds: the probe aurora.cluster notes all three, a postgres.ledger on the endpoint measures what \
            clients lose. It cannot be taken back; the old writer comes back as a replica by itself.
            """,
        example: """
            - {name: fail-over, fault: aurora.failover, target: orders, to: orders-2}
            """)
    private static let toParameter = Parameter<String?>.optional(
        "to", .text, "The instance that is to write; without it Aurora chooses.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(3), written: "3m", "How long the failover may take.")
    package static let parameters: [any AnyParameter] = [toParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.auroraCluster, .awsRegion]

    private let to: String?
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        to = reader.value(Self.toParameter)?.lowercased()
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "FailoverDBCluster \(target.name)" + (to.map { " to \($0)" } ?? ""),
            undo: "none: a failover cannot be taken back",
            privileges: ["rds:FailoverDBCluster", "rds:DescribeDBClusters"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .auroraCluster, in: context)
        let cluster = try await AWSAccess(resource.place, in: context).cluster(resource.id)
        guard cluster.isAvailable else {
            throw FaultError(
                .notApplicable, "cluster \(cluster.id) is \(cluster.status), not available",
                advice: "aws rds wait db-cluster-available --db-cluster-identifier \(cluster.id)")
        }
        guard let writer = cluster.writer, cluster.members.count > 1 else {
            throw FaultError(
                .notApplicable, "cluster \(cluster.id) has no replica that could take over",
                advice: "aws rds describe-db-clusters --db-cluster-identifier \(cluster.id)")
        }
        if let to {
            let replicas = cluster.members.filter { !$0.isWriter }.map(\.instance)
            guard replicas.contains(to) else {
                throw FaultError(
                    .notApplicable, "\(to) is no replica of \(cluster.id) (\(replicas.joined(separator: ", ")))",
                    advice: "choose one of these, or leave 'to' out")
            }
        }
        return Undo(cluster: resource, writer: writer, target: to, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.cluster.place, in: context)
        let begun = context.time.now
        var fields = [("DBClusterIdentifier", undo.cluster.id)]
        if let to = undo.target { fields.append(("TargetDBInstanceIdentifier", to)) }
        let answer = try await access.change(
            .query(.rds, "FailoverDBCluster", fields, .once), "failing \(undo.cluster.id) over")
        var gone: InstantRange?
        var lastIntact = begun
        var seen = "\(undo.writer) still writes"
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        let changed = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            let asked = context.time.now
            let cluster = try await access.cluster(undo.cluster.id)
            seen = "\(cluster.writer ?? "nobody") writes, the cluster is \(cluster.status)"
            if cluster.writer == undo.writer, cluster.isAvailable {
                lastIntact = asked
            } else if gone == nil {
                gone = InstantRange(lastIntact, context.time.now)
            }
            guard let writer = cluster.writer else { return false }
            return writer != undo.writer
        }
        guard changed != nil, let gone else {
            let said = answer == nil ? "the answer to the call was lost" : "RDS accepted the failover"
            return .unproven("\(said), and after \(undo.timeout) \(seen)")
        }
        if let to = undo.target, !seen.hasPrefix("\(to) ") {
            return .unproven("the failover was to \(to), and \(seen)")
        }
        return .confirmed(gone, evidence: "\(undo.writer) wrote; \(seen)")
    }
}
