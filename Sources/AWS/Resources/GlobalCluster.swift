internal import Contracts

/// An Aurora global database as DescribeGlobalClusters shows it.
struct GlobalCluster: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var arn: String
        var isWriter: Bool
        /// `connected`, `pending-resync`; nil for the writer.
        var synchronization: String?
    }

    var id: String
    var arn: String
    var status: String
    var members: [Member]
    /// `switching-over`, `failing-over`, `pending`, `cancelling`; nil when none is under way.
    var change: String?

    init(_ node: XMLNode) {
        id = node.string("GlobalClusterIdentifier") ?? ""
        arn = node.string("GlobalClusterArn") ?? ""
        status = node.string("Status") ?? ""
        change = node["FailoverState"]?.string("Status")
        members = node.list("GlobalClusterMembers").map { member in
            Member(
                arn: member.string("DBClusterArn") ?? "", isWriter: member.boolean("IsWriter") ?? false,
                synchronization: member.string("SynchronizationStatus"))
        }
    }

    var writer: String? { members.first(where: \.isWriter)?.arn }
}

extension AWSAccess {
    func globalCluster(_ id: String) async throws(FaultError) -> GlobalCluster {
        let call = AWSCall.query(.rds, "DescribeGlobalClusters", [("GlobalClusterIdentifier", id)], .read)
        let answer = try await perform(call, "asking for global cluster \(id)")
        // An emulator that passes over the identifier must not answer for another cluster.
        let found = answer.xml.list("GlobalClusters").map { GlobalCluster($0) }.first { $0.id == id }
        guard let found else {
            throw FaultError(
                .notFound, "there is no global cluster \(id)",
                advice: "aws rds describe-global-clusters --region \(region)")
        }
        return found
    }

    func globalClusters() async throws(FaultError) -> [GlobalCluster] {
        var found: [GlobalCluster] = []
        try await pages("listing global clusters") { marker in
            .query(.rds, "DescribeGlobalClusters", marker.map { [("Marker", $0)] } ?? [], .read)
        } next: {
            $0.xml.string("Marker")
        } _: { answer in
            found += answer.xml.list("GlobalClusters").map { GlobalCluster($0) }
        }
        return found
    }
}
