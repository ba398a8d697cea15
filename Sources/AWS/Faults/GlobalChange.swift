internal import Basics
internal import Contracts
internal import Experiment

/// What a change of an Aurora global database's writer needs to know in the journal. It cannot be taken back.
package struct GlobalChange: Codable, Sendable, Hashable {
    var global: String
    /// Where the request is sent: the region of the cluster that is to write, which is up when the other is not.
    var region: String
    /// ARNs of clusters.
    var writer: String
    var to: String
    var timeout: Span

    /// Finds the clusters; `to` is an ARN, or nil when there is only one secondary.
    init(_ target: Target, to: String?, timeout: Span, in context: SystemContext) async throws(FaultError) {
        let resource = try await AWSResource(target, .globalCluster, in: context)
        let cluster = try await AWSAccess(resource.place, in: context).globalCluster(resource.id)
        let secondaries = cluster.members.filter { !$0.isWriter }.map(\.arn)
        guard let writer = cluster.writer else {
            throw FaultError(
                .notApplicable, "global cluster \(cluster.id) has no writer now",
                advice: "aws rds describe-global-clusters --global-cluster-identifier \(cluster.id)")
        }
        if let change = cluster.change {
            throw FaultError(.notApplicable, "global cluster \(cluster.id) is \(change) already")
        }
        guard let chosen = to ?? (secondaries.count == 1 ? secondaries[0] : nil), secondaries.contains(chosen),
            let region = ARN(chosen)?.region
        else {
            throw FaultError(
                .notApplicable,
                "\(to ?? "'to' is missing, and it") must be one of the secondaries of \(cluster.id): "
                    + (secondaries.isEmpty ? "there is none" : secondaries.joined(separator: ", ")))
        }
        global = cluster.id
        self.region = region
        self.writer = writer
        self.to = chosen
        self.timeout = timeout
    }

    /// Sends the call and watches until the chosen cluster writes.
    func perform(
        _ operation: String, _ fields: [(String, String)], in context: SystemContext
    ) async throws(FaultError) -> Effect {
        let access = try AWSAccess(region: region, in: context)
        let begun = context.time.now
        let identifiers = [("GlobalClusterIdentifier", global), ("TargetDbClusterIdentifier", to)]
        let answer = try await access.change(
            .query(.rds, operation, identifiers + fields, .once), "\(operation) of \(global)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: timeout)
        var seen = "nothing was seen of it"
        var gone: InstantRange?
        var lastIntact = begun
        let changed = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            let asked = context.time.now
            let cluster = try await access.globalCluster(global)
            let state = cluster.change.map { ", \($0)" } ?? ""
            seen = "\(cluster.writer ?? "nobody") writes\(state)"
            if cluster.writer == writer, cluster.change == nil {
                lastIntact = asked
            } else if gone == nil {
                gone = InstantRange(lastIntact, context.time.now)
            }
            return cluster.writer == to && cluster.change == nil
        }
        guard changed != nil, let gone else {
            let said = answer == nil ? "the answer to the call was lost" : "RDS accepted \(operation)"
            return .unproven("\(said), and after \(timeout) \(seen)")
        }
        return .confirmed(gone, evidence: "\(writer) wrote; \(seen)")
    }
}

/// What the two changes of a global database read alike.
enum GlobalChangeParameters {
    static let to = Parameter<String?>.optional(
        "to", .text, "The ARN of the cluster that is to write; needed when there are several secondaries.")
    static let timeout = Parameter<Span>.timeout(.minutes(15), written: "15m", "How long the change may take.")
}
