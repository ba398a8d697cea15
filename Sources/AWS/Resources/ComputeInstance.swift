internal import Basics
internal import Contracts

/// An EC2 instance as DescribeInstances shows it.
struct ComputeInstance: Sendable, Hashable {
    struct Interface: Sendable, Hashable, Codable {
        var id: String
        var groups: [String]
    }

    var id: String
    /// `pending`, `running`, `shutting-down`, `terminated`, `stopping`, `stopped`.
    var state: String
    var zone: String
    var network: String
    var subnet: String
    var interfaces: [Interface]
    var tags: [String: String]

    init(_ node: XMLNode) {
        id = node.string("instanceId") ?? ""
        state = node["instanceState"]?.string("name") ?? ""
        zone = node["placement"]?.string("availabilityZone") ?? ""
        network = node.string("vpcId") ?? ""
        subnet = node.string("subnetId") ?? ""
        interfaces = node.list("networkInterfaceSet").map { interface in
            Interface(
                id: interface.string("networkInterfaceId") ?? "",
                groups: interface.list("groupSet").compactMap { $0.string("groupId") })
        }
        tags = node.tags("tagSet")
    }
}

/// A subnet as DescribeSubnets shows it.
struct Subnet: Sendable, Hashable {
    var id: String
    var network: String
    var zone: String
    var tags: [String: String]

    init(_ node: XMLNode) {
        id = node.string("subnetId") ?? ""
        network = node.string("vpcId") ?? ""
        zone = node.string("availabilityZone") ?? ""
        tags = node.tags("tagSet")
    }
}

/// `Filter.N.Name` and `Filter.N.Value.M`, as EC2 wants them.
func computeFilters(_ filters: [(name: String, values: [String])]) -> [(String, String)] {
    filters.enumerated().flatMap { index, filter in
        [("Filter.\(index + 1).Name", filter.name)]
            + filter.values.enumerated().map { ("Filter.\(index + 1).Value.\($0 + 1)", $1) }
    }
}

extension AWSAccess {
    func instance(_ id: String) async throws(FaultError) -> ComputeInstance {
        guard let found = try await instances(ids: [id]).first else {
            throw FaultError(
                .notFound, "there is no instance \(id) in \(region)",
                advice: "aws ec2 describe-instances --region \(region) --instance-ids \(id)")
        }
        return found
    }

    func instances(
        ids: [String] = [], filters: [(name: String, values: [String])] = []
    ) async throws(FaultError) -> [ComputeInstance] {
        var found: [ComputeInstance] = []
        let fields = ids.enumerated().map { ("InstanceId.\($0 + 1)", $1) } + computeFilters(filters)
        try await pages("listing instances") { marker in
            .query(.ec2, "DescribeInstances", fields + (marker.map { [("NextToken", $0)] } ?? []), .read)
        } next: {
            $0.xml.string("nextToken")
        } _: { answer in
            let reservations = answer.xml.list("reservationSet")
            found += reservations.flatMap { $0.list("instancesSet") }.map { ComputeInstance($0) }
        }
        return found
    }

    func subnets(
        ids: [String] = [], filters: [(name: String, values: [String])] = []
    ) async throws(FaultError) -> [Subnet] {
        var found: [Subnet] = []
        let fields = ids.enumerated().map { ("SubnetId.\($0 + 1)", $1) } + computeFilters(filters)
        try await pages("listing subnets") { marker in
            .query(.ec2, "DescribeSubnets", fields + (marker.map { [("NextToken", $0)] } ?? []), .read)
        } next: {
            $0.xml.string("nextToken")
        } _: { answer in
            found += answer.xml.list("subnetSet").map { Subnet($0) }
        }
        return found
    }

    /// Whether the credentials may do it, asked with DryRun; nil when AWS does not say.
    func mayDo(_ operation: String, _ fields: [(String, String)]) async throws(FaultError) -> Bool? {
        let client = self
        do throws(FaultError) {
            try await client.perform(
                .query(.ec2, operation, fields + [("DryRun", "true")], .read), "the dry run of \(operation)")
            return nil
        } catch {
            guard let cause = error.underlying as? AWSError else { throw error }
            switch cause.code {
            case .dryRunPassed: return true
            case .denied: return false
            default: throw error
            }
        }
    }
}
