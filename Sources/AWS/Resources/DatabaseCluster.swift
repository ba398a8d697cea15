internal import Basics
internal import Contracts

/// An Aurora (or DocumentDB, Neptune) cluster as DescribeDBClusters shows it.
struct DatabaseCluster: Sendable, Hashable {
    struct Member: Sendable, Hashable {
        var instance: String
        var isWriter: Bool
        /// The lower, the sooner it is promoted.
        var promotionTier: Int64?
    }

    static let available = "available"

    var id: String
    var arn: String
    /// `available`, `failing-over`, … ; one that we do not know is kept as it is.
    var status: String
    /// The writer endpoint's host name.
    var endpoint: String
    var readerEndpoint: String
    var port: Int64?
    var engine: String
    var members: [Member]
    var tags: [String: String]

    init(_ node: XMLNode) {
        id = node.string("DBClusterIdentifier") ?? ""
        arn = node.string("DBClusterArn") ?? ""
        status = node.string("Status") ?? ""
        endpoint = node.string("Endpoint") ?? ""
        readerEndpoint = node.string("ReaderEndpoint") ?? ""
        port = node.integer("Port")
        engine = node.string("Engine") ?? ""
        members = node.list("DBClusterMembers").map { member in
            Member(
                instance: member.string("DBInstanceIdentifier") ?? "",
                isWriter: member.boolean("IsClusterWriter") ?? false, promotionTier: member.integer("PromotionTier"))
        }
        tags = node.tags("TagList")
    }

    /// nil while a failover has none.
    var writer: String? { members.first(where: \.isWriter)?.instance }
    var isAvailable: Bool { status == Self.available }

    static func call(_ id: String) -> AWSCall {
        .query(.rds, "DescribeDBClusters", [("DBClusterIdentifier", id)], .read)
    }
}

/// An RDS instance as DescribeDBInstances shows it.
struct DatabaseInstance: Sendable, Hashable {
    var id: String
    var arn: String
    var status: String
    /// Of which cluster; nil for an instance of its own.
    var cluster: String?
    var zone: String
    /// Where its standby is; nil when it has none that we may know of.
    var secondaryZone: String?
    var isMultiZone: Bool
    var address: String
    var port: Int64?
    var tags: [String: String]

    init(_ node: XMLNode) {
        id = node.string("DBInstanceIdentifier") ?? ""
        arn = node.string("DBInstanceArn") ?? ""
        status = node.string("DBInstanceStatus") ?? ""
        cluster = node.string("DBClusterIdentifier")
        zone = node.string("AvailabilityZone") ?? ""
        secondaryZone = node.string("SecondaryAvailabilityZone")
        isMultiZone = node.boolean("MultiAZ") ?? false
        address = node["Endpoint"]?.string("Address") ?? ""
        port = node["Endpoint"]?.integer("Port")
        tags = node.tags("TagList")
    }
}

extension AWSAccess {
    /// One cluster; throws `notFound` when there is none of that name.
    func cluster(_ id: String) async throws(FaultError) -> DatabaseCluster {
        let answer = try await perform(DatabaseCluster.call(id), "asking for cluster \(id)")
        guard let node = answer.xml.list("DBClusters").first else {
            throw FaultError(
                .notFound, "there is no cluster \(id) in \(region)",
                advice: "aws rds describe-db-clusters --region \(region)")
        }
        return DatabaseCluster(node)
    }

    func clusters() async throws(FaultError) -> [DatabaseCluster] {
        var found: [DatabaseCluster] = []
        try await pages("listing clusters") { marker in
            .query(.rds, "DescribeDBClusters", marker.map { [("Marker", $0)] } ?? [], .read)
        } next: {
            $0.xml.string("Marker")
        } _: { answer in
            found += answer.xml.list("DBClusters").map { DatabaseCluster($0) }
        }
        return found
    }

    func databaseInstance(_ id: String) async throws(FaultError) -> DatabaseInstance {
        let call = AWSCall.query(.rds, "DescribeDBInstances", [("DBInstanceIdentifier", id)], .read)
        guard let node = try await perform(call, "asking for instance \(id)").xml.list("DBInstances").first else {
            throw FaultError(
                .notFound, "there is no instance \(id) in \(region)",
                advice: "aws rds describe-db-instances --region \(region)")
        }
        return DatabaseInstance(node)
    }

    func databaseInstances() async throws(FaultError) -> [DatabaseInstance] {
        var found: [DatabaseInstance] = []
        try await pages("listing instances") { marker in
            .query(.rds, "DescribeDBInstances", marker.map { [("Marker", $0)] } ?? [], .read)
        } next: {
            $0.xml.string("Marker")
        } _: { answer in
            found += answer.xml.list("DBInstances").map { DatabaseInstance($0) }
        }
        return found
    }
}
