package import Basics
package import Contracts
package import Experiment

/// Stops an Aurora cluster; the heal starts it again, which takes minutes.
package struct AuroraStopFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var cluster: AWSResource
        var timeout: Span
    }

    package static let kind = "aurora.stop"
    package static let manual = Manual(
        summary: "Stops a whole Aurora cluster, and starts it again.",
        details: """
            Sends StopDBCluster; the effect is that the cluster is stopping. The heal waits until it is stopped, starts it, \
            and waits until it is available: AWS takes five to fifteen minutes for that, and until then it is reported as not \
            healed. A cluster that somebody else started meanwhile counts as healed.
            """,
        example: """
            - {name: stop, fault: aurora.stop, target: orders, duration: 10m}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(2), written: "2m", "How long it may take until the cluster stops.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.auroraCluster, .awsRegion]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "StopDBCluster \(target.name)", undo: "StartDBCluster, and wait until it is available",
            privileges: ["rds:StopDBCluster", "rds:StartDBCluster", "rds:DescribeDBClusters"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .auroraCluster, in: context)
        let cluster = try await AWSAccess(resource.place, in: context).cluster(resource.id)
        guard cluster.isAvailable else {
            throw FaultError(
                .notApplicable, "cluster \(cluster.id) is \(cluster.status), not available",
                advice: "aws rds describe-db-clusters --db-cluster-identifier \(cluster.id)")
        }
        return Undo(cluster: resource, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.cluster.place, in: context)
        let begun = context.time.now
        _ = try await access.change(
            .query(.rds, "StopDBCluster", [("DBClusterIdentifier", undo.cluster.id)], .once),
            "stopping \(undo.cluster.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var seen = ""
        let stopped = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            seen = try await access.cluster(undo.cluster.id).status
            return seen == "stopping" || seen == "stopped"
        }
        guard let stopped else { return .unproven("after \(undo.timeout) the cluster is \(seen)") }
        return .confirmed(stopped, evidence: "cluster \(undo.cluster.id) is \(seen)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.cluster.place, in: context)
        guard let status = try await status(undo, access) else { return }
        switch status {
        case "stopped":
            _ = try await access.change(
                .query(.rds, "StartDBCluster", [("DBClusterIdentifier", undo.cluster.id)], .once),
                "starting \(undo.cluster.id)")
        // Starting, available: on its way or there. Stopping: it can be started only once it has stopped.
        default: break
        }
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(30) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.cluster.place, in: context)
        guard let status = try await status(undo, access), status != DatabaseCluster.available else { return nil }
        return Leftover(
            kind: kind, target: undo.cluster.id, description: "the cluster is \(status)", commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let place = "--region \(undo.cluster.region) --db-cluster-identifier \(undo.cluster.id)"
        return ["aws rds start-db-cluster \(place)", "aws rds wait db-cluster-available \(place)"]
    }

    /// nil when the cluster is gone.
    private static func status(_ undo: Undo, _ access: AWSAccess) async throws(FaultError) -> String? {
        try await access.ifThere { access throws(FaultError) in try await access.cluster(undo.cluster.id).status }
    }
}
