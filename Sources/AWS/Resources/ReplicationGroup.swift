internal import Basics
internal import Contracts

/// An ElastiCache replication group as DescribeReplicationGroups shows it.
struct ReplicationGroup: Sendable, Hashable {
    struct Node: Sendable, Hashable {
        /// `cache-001`
        var cluster: String
        /// `primary` or `replica`; nil in cluster mode, which does not say.
        var role: String?
        var zone: String
    }

    struct Shard: Sendable, Hashable {
        /// `0001`
        var id: String
        var status: String
        var primaryEndpoint: String
        var nodes: [Node]

        var primary: String? { nodes.first { $0.role == "primary" }?.cluster }
    }

    static let available = "available"

    var id: String
    var arn: String
    var status: String
    /// `enabled`, `disabled`, `enabling`, `disabling`.
    var automaticFailover: String
    var isClusterMode: Bool
    var shards: [Shard]

    init(_ node: XMLNode) {
        id = node.string("ReplicationGroupId") ?? ""
        arn = node.string("ARN") ?? ""
        status = node.string("Status") ?? ""
        automaticFailover = node.string("AutomaticFailover") ?? ""
        isClusterMode = node.boolean("ClusterEnabled") ?? false
        shards = node.list("NodeGroups").map { shard in
            Shard(
                id: shard.string("NodeGroupId") ?? "", status: shard.string("Status") ?? "",
                primaryEndpoint: shard["PrimaryEndpoint"]?.string("Address") ?? "",
                nodes: shard.list("NodeGroupMembers").map { member in
                    Node(
                        cluster: member.string("CacheClusterId") ?? "", role: member.string("CurrentRole"),
                        zone: member.string("PreferredAvailabilityZone") ?? "")
                })
        }
    }
}

extension AWSAccess {
    func replicationGroup(_ id: String) async throws(FaultError) -> ReplicationGroup {
        let call = AWSCall.query(.elasticache, "DescribeReplicationGroups", [("ReplicationGroupId", id)], .read)
        guard
            let node = try await perform(call, "asking for replication group \(id)").xml.list("ReplicationGroups").first
        else {
            throw FaultError(
                .notFound, "there is no replication group \(id) in \(region)",
                advice: "aws elasticache describe-replication-groups --region \(region)")
        }
        return ReplicationGroup(node)
    }

    func replicationGroups() async throws(FaultError) -> [ReplicationGroup] {
        var found: [ReplicationGroup] = []
        try await pages("listing replication groups") { marker in
            .query(.elasticache, "DescribeReplicationGroups", marker.map { [("Marker", $0)] } ?? [], .read)
        } next: {
            $0.xml.string("Marker")
        } _: { answer in
            found += answer.xml.list("ReplicationGroups").map { ReplicationGroup($0) }
        }
        return found
    }
}
