internal import Basics
internal import Contracts
internal import Experiment

extension FISTargetMap {
    /// The most ARNs that one target of a template takes.
    private static let mostARNs = 5

    /// A target of an experiment as a template's.
    static func json(_ target: WrittenTarget, _ place: FISPlace) throws(FISReason) -> [String: JSONValue] {
        guard let resourceType = resourceType(of: target.type) else {
            throw FISReason("FIS has no targets of type \(target.type.rawValue)")
        }
        var json: [String: JSONValue] = [
            "resourceType": .string(resourceType), "selectionMode": .string(try text(target.mode)),
        ]
        let arns = try self.arns(target, place)
        if !arns.isEmpty {
            guard arns.count <= mostARNs else {
                throw FISReason("FIS takes \(mostARNs) resources by ARN in one target: select them by a tag")
            }
            guard target.tags.isEmpty else {
                throw FISReason("FIS selects by ARNs or by tags, and this target by both")
            }
            guard target.service == nil else {
                throw FISReason("FIS selects tasks by ARNs or by their service, and this target by both")
            }
            json["resourceArns"] = .array(arns.map(JSONValue.string))
        }
        if !target.tags.isEmpty { json["resourceTags"] = .object(target.tags.mapValues(JSONValue.string)) }
        if let zone = target.zone, let path = zonePath(of: target.type) {
            json["filters"] = .array([.object(["path": .string(path), "values": .array([.string(zone)])])])
        }
        // With ARNs they say nothing new, and FIS refuses them.
        var parameters: [String: JSONValue] = [:]
        if arns.isEmpty {
            if let cluster = target.cluster { parameters["cluster"] = .string(cluster) }
            if let service = target.service { parameters["service"] = .string(service) }
        }
        if !parameters.isEmpty { json["parameters"] = .object(parameters) }
        guard !arns.isEmpty || !target.tags.isEmpty || !parameters.isEmpty else {
            throw FISReason("FIS selects by ARNs or by tags: a zone alone is not enough for it")
        }
        return json
    }

    private static func arns(_ target: WrittenTarget, _ place: FISPlace) throws(FISReason) -> [String] {
        var arns = target.arns
        for id in target.ids where !arns.contains(id) {
            if ARN(id) != nil {
                arns.append(id)
                continue
            }
            guard let resource = resource(id, of: target) else { continue }
            arns.append(try place.arn(target.type.service, resource, region: target.writtenRegion))
        }
        return arns
    }

    /// What stands last in the ARN of a resource; nil when FIS has no such type.
    private static func resource(_ id: String, of target: WrittenTarget) -> String? {
        switch target.type {
        case .auroraCluster: "cluster:\(id.lowercased())"
        case .databaseInstance: "db:\(id.lowercased())"
        case .computeInstance: "instance/\(id)"
        case .subnet: "subnet/\(id)"
        case .containerTask: "task/\(target.cluster ?? "default")/\(id)"
        case .globalCluster, .replicationGroup: nil
        }
    }

    private static func text(_ mode: SelectionMode) throws(FISReason) -> String {
        switch mode {
        case .all: return "ALL"
        case .one: return "COUNT(1)"
        case .fixed(let count): return "COUNT(\(count))"
        case .fixedPercent(let share): return "PERCENT(\(decimal(share.fraction * 100, places: 3)))"
        case .randomMaxPercent: throw FISReason("FIS draws no number of targets at random: use fixed or fixed-percent")
        }
    }
}
