internal import Contracts

/// What a target of AWS can be; the raw value is what a file writes.
enum ResourceType: String, Sendable, Hashable, CaseIterable {
    case auroraCluster = "aurora-cluster"
    case globalCluster = "global-cluster"
    case databaseInstance = "rds-instance"
    case replicationGroup = "replication-group"
    case computeInstance = "ec2-instance"
    case containerTask = "ecs-task"
    case subnet

    /// Under which faults look for the identifier.
    var attribute: Target.Attribute {
        switch self {
        case .auroraCluster: .auroraCluster
        case .globalCluster: .globalCluster
        case .databaseInstance: .databaseInstance
        case .replicationGroup: .replicationGroup
        case .computeInstance: .computeInstance
        case .containerTask: .containerTask
        case .subnet: .subnet
        }
    }

    /// What stands in the resource's ARN before its name; nil when an ARN of it says no more than the name.
    var service: String {
        switch self {
        case .auroraCluster, .globalCluster, .databaseInstance: "rds"
        case .replicationGroup: "elasticache"
        case .computeInstance, .subnet: "ec2"
        case .containerTask: "ecs"
        }
    }

    /// A resource as something that a fault can be injected into. RDS takes identifiers in any case.
    func target(_ id: String, named name: String? = nil, region: String, labels: [String: String] = [:]) -> Target {
        Target(
            id: "aws:\(region):\(rawValue):\(id)", name: name ?? id,
            attributes: [attribute: id, .awsRegion: region], labels: labels)
    }
}

/// Where a change was made. A heal with the credentials of another account would find nothing there, and must not take
/// that for clean: it is refused.
struct AWSPlace: Sendable, Hashable, Codable {
    var region: String
    var account: String
}

/// The resource that a fault acts on, as the journal keeps it.
struct AWSResource: Sendable, Hashable, Codable {
    var place: AWSPlace
    var id: String

    var region: String { place.region }

    init(_ id: String, in place: AWSPlace) {
        self.id = id
        self.place = place
    }

    /// Reads what a fault requires of its target, and whose it is.
    init(_ target: Target, _ type: ResourceType, in context: SystemContext) async throws(FaultError) {
        guard let id = target.attributes[type.attribute], let region = target.attributes[.awsRegion] else {
            throw FaultError(
                .notApplicable, "target \(target.name) is no \(type.rawValue)",
                advice: "{aws: {type: \(type.rawValue), ids: [...]}}")
        }
        self.init(id, in: try await AWSAccess(region: region, in: context).place())
    }
}
