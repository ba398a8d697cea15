internal import Contracts

/// Asks AWS for the resources that a target source describes.
struct ResourceSearch: Sendable {
    private let access: AWSAccess
    private let source: AWSTargetSource

    init(_ access: AWSAccess, _ source: AWSTargetSource) {
        self.access = access
        self.source = source
    }

    func run() async throws(FaultError) -> [Target] {
        switch source.type {
        case .auroraCluster: try await auroraClusters()
        case .globalCluster: try await globalClusters()
        case .databaseInstance: try await databaseInstances()
        case .replicationGroup: try await replicationGroups()
        case .computeInstance: try await computeInstances()
        case .containerTask: try await containerTasks()
        case .subnet: try await subnets()
        }
    }

    private func target(_ id: String, named name: String? = nil, _ tags: [String: String] = [:]) -> Target {
        source.type.target(id, named: name, region: access.region, labels: tags)
    }

    private func isNamed(_ id: String) -> Bool { source.ids.isEmpty || source.ids.contains(id) }

    private func auroraClusters() async throws(FaultError) -> [Target] {
        try await access.clusters()
            .filter { isNamed($0.id) && hasTags($0.tags, source.tags) }
            .map { target($0.id, $0.tags) }
    }

    private func globalClusters() async throws(FaultError) -> [Target] {
        try await access.globalClusters().filter { isNamed($0.id) }.map { target($0.id) }
    }

    private func databaseInstances() async throws(FaultError) -> [Target] {
        try await access.databaseInstances()
            .filter { isNamed($0.id) && hasTags($0.tags, source.tags) && (source.zone ?? $0.zone) == $0.zone }
            .map { target($0.id, $0.tags) }
    }

    private func replicationGroups() async throws(FaultError) -> [Target] {
        try await access.replicationGroups().filter { isNamed($0.id) }.map { target($0.id) }
    }

    private func computeInstances() async throws(FaultError) -> [Target] {
        var filters = source.tags.map { (name: "tag:\($0.name)", values: [$0.value]) }
        if let zone = source.zone { filters.append((name: "availability-zone", values: [zone])) }
        // One that is gone is shown for an hour; it is none any more.
        filters.append((name: "instance-state-name", values: ["pending", "running", "stopping", "stopped"]))
        if !source.ids.isEmpty { filters.append((name: "instance-id", values: source.ids)) }
        return try await access.instances(filters: filters).map { target($0.id, named: $0.tags["Name"], $0.tags) }
    }

    private func subnets() async throws(FaultError) -> [Target] {
        var filters = source.tags.map { (name: "tag:\($0.name)", values: [$0.value]) }
        if let zone = source.zone { filters.append((name: "availability-zone", values: [zone])) }
        if !source.ids.isEmpty { filters.append((name: "subnet-id", values: source.ids)) }
        return try await access.subnets(filters: filters).map { target($0.id, named: $0.tags["Name"], $0.tags) }
    }

    private func containerTasks() async throws(FaultError) -> [Target] {
        let cluster = source.cluster ?? "default"
        let listed = try await access.taskNames(cluster: cluster, service: source.service)
        let wanted = listed.filter { arn in
            source.ids.isEmpty || source.ids.contains { $0 == arn || arn.hasSuffix("/\($0)") }
        }
        return try await access.tasks(wanted, cluster: cluster)
            .filter { hasTags($0.tags, source.tags) && (source.zone ?? $0.zone) == $0.zone }
            .map { target($0.arn, named: ARN($0.arn)?.name, $0.tags) }
    }
}
