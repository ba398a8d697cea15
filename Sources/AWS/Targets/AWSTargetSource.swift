internal import Basics
package import Contracts
package import Experiment

/// `aws: {type: ec2-instance, tags: {app: web}, zone: us-east-1a}`: resources of one type in one region.
package struct AWSTargetSource: TargetSource {
    package static let kind = "aws"
    package static let manual = Manual(
        summary: "Resources of AWS by identifier, ARN, tag and availability zone",
        details: """
            One type in one region; every condition that is written must hold, and at least one is required, so that no
            typing error selects a whole account. The types are aurora-cluster, global-cluster, rds-instance,
            replication-group, ec2-instance, ecs-task (with its cluster) and subnet. The region is the one written, the
            one of the ARNs, or the one that AWS_REGION, AWS_DEFAULT_REGION, the profile or the instance names; without
            any, the run is refused. A resource's tags are its labels: `limits.protect.labels` holds for them.
            """,
        example: """
            targets:
              orders: {aws: {type: aurora-cluster, ids: [orders], region: us-east-1}}
              zone-a: {aws: {type: ec2-instance, tags: {app: web}, zone: us-east-1a}}
            """)

    private static let typeParameter = Parameter<ResourceType>.required(
        "type", .choice(.computeInstance),
        "What it is: " + ResourceType.allCases.map(\.rawValue).joined(separator: ", "))
    private static let idsParameter = Parameter<[String]>.defaulted(
        "ids", .list(.text), to: [], written: "[]", "Identifiers as AWS shows them.")
    private static let arnsParameter = Parameter<[String]>.defaulted(
        "arns", .list(.text), to: [], written: "[]", "Full names; their region is the targets' region.")
    private static let tagsParameter = Parameter<[NamedValue<String>]>.defaulted(
        "tags", .map(.anyText), to: [], written: "{}", "Tags that each must have, with their values.")
    private static let zoneParameter = Parameter<String?>.optional(
        "zone", .text, "The availability zone they must be in, us-east-1a.")
    private static let clusterParameter = Parameter<String?>.optional(
        "cluster", .text, "The ECS cluster of tasks.")
    private static let serviceParameter = Parameter<String?>.optional(
        "service", .text, "The ECS service whose tasks are meant.")
    static let regionParameter = Parameter<String?>.optional(
        "region", .text, "The region to call; without it the ARN's, else the environment's or the profile's.")
    package static let parameters: [any AnyParameter] = [
        typeParameter, idsParameter, arnsParameter, tagsParameter, zoneParameter, clusterParameter, serviceParameter,
        regionParameter,
    ]

    let type: ResourceType
    let ids: [String]
    let tags: [(name: String, value: String)]
    let zone: String?
    let cluster: String?
    let service: String?
    let region: String?
    private let arns: [ARN]

    package init(from reader: inout ParameterReader) {
        type = reader.value(Self.typeParameter)
        let written = reader.value(Self.arnsParameter)
        arns = written.compactMap { ARN($0) }
        tags = reader.value(Self.tagsParameter).map { (name: $0.name, value: $0.value) }
        zone = reader.value(Self.zoneParameter)
        cluster = reader.value(Self.clusterParameter)
        service = reader.value(Self.serviceParameter)
        region = reader.value(Self.regionParameter)
        let named = reader.value(Self.idsParameter)
        // RDS and ElastiCache keep identifiers in lower case, and answer in it.
        let isCaseless = type.service == "rds" || type.service == "elasticache"
        let isTask = type == .containerTask
        ids = (named + arns.map { isTask ? $0.text : $0.name }).map { isCaseless ? $0.lowercased() : $0 }
        check(&reader, written: written)
    }

    private func check(_ reader: inout ParameterReader, written: [String]) {
        let arnsKey = Self.arnsParameter.key
        for text in written where ARN(text) == nil {
            reader.diagnostics.error("'\(text)' is no ARN", at: reader.location(of: arnsKey))
        }
        for arn in arns where arn.service != type.service {
            reader.diagnostics.error("\(arn) is no \(type.rawValue)", at: reader.location(of: arnsKey))
        }
        if Set(arns.map(\.region)).count > 1 {
            reader.diagnostics.error("the ARNs are of several regions", at: reader.location(of: arnsKey))
        }
        if ids.isEmpty, tags.isEmpty, zone == nil, service == nil, written.isEmpty {
            reader.diagnostics.error(
                "write at least one of ids, arns, tags, zone and service: nothing selects everything",
                at: reader.location)
        }
        if type == .containerTask, cluster == nil {
            reader.diagnostics.error("tasks need their cluster", at: reader.location)
        }
        if type != .containerTask, cluster != nil || service != nil {
            reader.diagnostics.error("cluster and service are of ecs-task only", at: reader.location)
        }
        if type == .auroraCluster || type == .globalCluster || type == .replicationGroup, zone != nil {
            reader.diagnostics.error(
                "a \(type.rawValue) is in several zones", at: reader.location(of: Self.zoneParameter.key))
        }
        if type == .globalCluster || type == .replicationGroup, !tags.isEmpty {
            reader.diagnostics.error(
                "AWS's lists of a \(type.rawValue) show no tags: write ids",
                at: reader.location(of: Self.tagsParameter.key))
        }
    }

    package func resolve(in context: SystemContext) async throws(FaultError) -> [Target] {
        let access = try await AWSAccess(written: region, arns.first, in: context)
        return try await ResourceSearch(access, self).run().sorted { $0.id < $1.id }
    }

    package var summary: String {
        var parts = [type.rawValue]
        if !ids.isEmpty { parts.append("ids \(ids.joined(separator: ", "))") }
        parts += tags.map { "tag \($0.name)=\($0.value)" }
        if let zone { parts.append("zone \(zone)") }
        if let cluster { parts.append("cluster \(cluster)") }
        if let service { parts.append("service \(service)") }
        if let region = region ?? arns.first?.region { parts.append("in \(region)") }
        return parts.joined(separator: "; ")
    }
}
