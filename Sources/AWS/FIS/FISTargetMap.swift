internal import Basics
internal import Contracts
internal import Experiment

/// Which resources of FIS and which targets of Squall are the same, and how each selects them.
enum FISTargetMap {
    static func type(of resourceType: String) -> ResourceType? { types.first { $0.resourceType == resourceType }?.type }
    static func resourceType(of type: ResourceType) -> String? { types.first { $0.type == type }?.resourceType }

    private static let types: [(resourceType: String, type: ResourceType)] = [
        ("aws:ec2:instance", .computeInstance), ("aws:ec2:subnet", .subnet), ("aws:ecs:task", .containerTask),
        ("aws:rds:cluster", .auroraCluster), ("aws:rds:db", .databaseInstance),
    ]

    /// The path under which a filter finds the zone.
    static func zonePath(of type: ResourceType) -> String? {
        switch type {
        case .computeInstance: "Placement.AvailabilityZone"
        case .subnet, .containerTask, .databaseInstance: "AvailabilityZone"
        case .auroraCluster, .globalCluster, .replicationGroup: nil
        }
    }

    /// Filters that Squall's faults look for themselves: they refuse what is in another state.
    private static let states: Set = ["State.Name=running", "LastStatus=RUNNING"]

    /// Reads a target of a template. What selects fewer resources must not be lost: then there is a reason instead.
    ///
    /// - Parameter region: the template's, for a target without ARNs.
    static func target(_ json: JSONValue, region: String?) throws(FISReason) -> WrittenTarget {
        let resourceType = json["resourceType"]?.string ?? ""
        guard let type = type(of: resourceType) else {
            throw FISReason("its target is of a type that Squall has not (\(resourceType))")
        }
        var target = WrittenTarget(type: type)
        target.arns = texts(json["resourceArns"])
        target.tags = (json["resourceTags"]?.object ?? [:]).compactMapValues(\.string)
        for filter in json["filters"]?.array ?? [] { try read(filter, &target) }
        for (key, value) in (json["parameters"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            try read(key, value.string ?? "", &target)
        }
        target.mode = try mode(json["selectionMode"]?.string ?? "ALL")
        try check(&target, region: region)
        return target
    }

    private static func read(_ filter: JSONValue, _ target: inout WrittenTarget) throws(FISReason) {
        let (path, values) = (filter["path"]?.string ?? "", texts(filter["values"]))
        if states.contains("\(path)=\(values.joined(separator: ","))") { return }
        guard path == zonePath(of: target.type) else {
            throw FISReason("its target has a filter on \(path), and without that it would hit more")
        }
        try take(zone: values, &target)
    }

    private static func read(_ key: String, _ value: String, _ target: inout WrittenTarget) throws(FISReason) {
        switch (target.type, key) {
        case (.subnet, "availabilityZoneIdentifier"), (.databaseInstance, "availabilityZoneIdentifiers"):
            if value != "all" { try take(zone: value.split(separator: ",").map(String.init), &target) }
        case (.containerTask, "cluster"): target.cluster = ARN(value)?.name ?? value
        case (.containerTask, "service"): target.service = ARN(value)?.name ?? value
        default:
            throw FISReason("its target has the parameter \(key), and without that it would hit more")
        }
    }

    private static func take(zone values: [String], _ target: inout WrittenTarget) throws(FISReason) {
        guard values.count == 1, target.zone == nil || target.zone == values[0] else {
            throw FISReason("its target is in several zones, and a target here is in one: split it")
        }
        guard values[0].firstRange(of: "-az") == nil else {
            throw FISReason(
                "its target names a zone by its identifier (\(values[0])), and Squall by its name (us-east-1a)")
        }
        target.zone = values[0]
    }

    private static func check(_ target: inout WrittenTarget, region: String?) throws(FISReason) {
        for text in target.arns where ARN(text)?.service != target.type.service {
            throw FISReason("'\(text)' is no ARN of a \(target.type.rawValue)")
        }
        if Set(target.arns.map { ARN($0)?.region }).count > 1 {
            throw FISReason("its target is in several regions, and a target here is in one")
        }
        if target.type == .containerTask, target.cluster == nil {
            let clusters = Set(target.arns.compactMap { cluster(of: $0) })
            guard let cluster = clusters.first, clusters.count == 1 else {
                throw FISReason("its target names no cluster, and Squall finds tasks by theirs")
            }
            target.cluster = cluster
        }
        if target.arns.isEmpty, target.tags.isEmpty, target.zone == nil, target.service == nil {
            throw FISReason("its target selects nothing in particular")
        }
        if target.arns.isEmpty { target.region = region }
    }

    /// `…:task/CLUSTER/ID`
    private static func cluster(of arn: String) -> String? {
        let parts = ARN(arn)?.resource.split(separator: "/") ?? []
        return parts.count == 3 ? String(parts[1]) : nil
    }

    /// `ALL`, `COUNT(2)`, `PERCENT(50)`
    static func mode(_ text: String) throws(FISReason) -> SelectionMode {
        if text == "ALL" { return .all }
        let parts = text.split(separator: "(")
        if parts.count == 2, parts[1].hasSuffix(")") {
            let number = parts[1].dropLast()
            if parts[0] == "COUNT", let count = Int(number), count > 0 { return count == 1 ? .one : .fixed(count) }
            if parts[0] == "PERCENT", let share = Share(parsing: "\(number)%"), share.fraction > 0 {
                return .fixedPercent(share)
            }
        }
        throw FISReason("its target's selectionMode '\(text)' is none of ALL, COUNT(n) and PERCENT(n)")
    }
}
