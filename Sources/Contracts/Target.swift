package import Experiment

/// Something a fault can be injected into, resolved to one real thing.
package struct Target: Sendable, Hashable, Codable {
    /// What a target offers to faults; a fault names those it requires.
    package enum Attribute: String, Sendable, Hashable, Codable, CodingKeyRepresentable {
        /// The container's full 64-digit id.
        case containerID = "container.id"
        case containerName = "container.name"
        /// A connection string as written in the file, `${secret}` unrevealed.
        case postgresDSN = "postgres.dsn"
        /// The address of a Redis or a Sentinel as written in the file, `${secret}` unrevealed.
        case redisURL = "redis.url"
        /// The node's name in the probe that reported it.
        case node
        /// Base URL of the node's Patroni API, `http://127.0.0.1:8001`.
        case patroniURL = "patroni.url"
        /// The machine the controller runs on.
        case localHost = "host.local"
        /// Addresses and blocks outside any container, separated by commas: `10.0.0.0/8,2001:db8::1`.
        case addresses = "network.addresses"
        /// Of the resource that the next ones name.
        case awsRegion = "aws.region"
        /// DBClusterIdentifier.
        case auroraCluster = "aws.aurora-cluster"
        /// GlobalClusterIdentifier.
        case globalCluster = "aws.global-cluster"
        /// DBInstanceIdentifier.
        case databaseInstance = "aws.rds-instance"
        /// ReplicationGroupId.
        case replicationGroup = "aws.replication-group"
        /// `i-0123456789abcdef0`
        case computeInstance = "aws.ec2-instance"
        /// The task's ARN.
        case containerTask = "aws.ecs-task"
        /// `subnet-0123456789abcdef0`
        case subnet = "aws.subnet"
    }

    /// Stable identity across resolutions, for limits and locks: `container:<id>`, `postgres:<node>`.
    package var id: String
    package var name: String
    package var attributes: [Attribute: String]
    package var labels: [String: String]
    /// The two groups of a fault that acts between targets; empty for anything else.
    package var sides: [TargetSide]

    package init(
        id: String, name: String, attributes: [Attribute: String], labels: [String: String] = [:],
        sides: [TargetSide] = []
    ) {
        self.id = id
        self.name = name
        self.attributes = attributes
        self.labels = labels
        self.sides = sides
    }

    /// Two groups as one target: such a fault is injected, journalled and healed as a whole.
    package static func between(_ sides: [TargetSide]) -> Target {
        let parts = sides.map { side in side.members.map(\.id).joined(separator: ",") }
        let names = sides.map { side in side.members.map(\.name).joined(separator: ", ") }
        return Target(
            id: "between:" + parts.joined(separator: "|"), name: names.joined(separator: " | "), attributes: [:],
            sides: sides)
    }

    /// The real things: the members of both sides, or the target itself.
    package var parts: [Target] { sides.isEmpty ? [self] : sides.flatMap { $0.members } }

    /// What stands for the target in locks: its identity, and the container's behind it, so that a database node and its
    /// container are one. The machine itself is none: two commands on one host do not exclude each other.
    package var resources: [String] {
        if attributes[.localHost] != nil { return [] }
        if !sides.isEmpty { return sides.flatMap { $0.members }.flatMap { $0.resources } }
        let container = attributes[.containerID].map { "container:\($0)" }
        return container.map { $0 == id ? [id] : [id, $0] } ?? [id]
    }

    /// For faults that act on no target of their own (`command.run` on the host, a cluster-wide API call).
    package static let localHost = Target(id: "host:local", name: "localhost", attributes: [.localHost: "local"])
}

/// One group of a fault that acts between targets.
package struct TargetSide: Sendable, Hashable, Codable {
    /// `a` or `b`, as in the file.
    package var role: String
    package var members: [Target]

    package init(role: String, members: [Target]) {
        self.role = role
        self.members = members
    }
}

/// A way to find targets, for example `docker: {labels: {...}}`.
package protocol TargetSource: Sendable {
    /// The key under a target in the file.
    static var kind: String { get }
    static var manual: Manual { get }
    static var parameters: [any AnyParameter] { get }
    init(from reader: inout ParameterReader)
    /// All that match, in a stable order; empty is an answer, not an error. Read-only.
    func resolve(in context: SystemContext) async throws(FaultError) -> [Target]
    /// One line for plan and messages: `labels squall.stack=postgres`.
    var summary: String { get }
}

/// Adds what one system knows to a target that another named: the container behind a database node.
package protocol TargetEnricher: Sendable {
    var provides: Set<Target.Attribute> { get }
    func enrich(_ target: Target, in context: SystemContext) async throws(FaultError) -> Target
}
