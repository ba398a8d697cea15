internal import Basics
internal import Contracts
internal import Experiment

/// A target of AWS as an experiment file writes it: what FIS is given, and what a policy is scoped to.
struct WrittenTarget: Sendable, Hashable {
    var type: ResourceType
    var ids: [String] = []
    var arns: [String] = []
    var tags: [String: String] = [:]
    /// `us-east-1a`
    var zone: String?
    var cluster: String?
    var service: String?
    var region: String?
    var mode = SelectionMode.all

    init(type: ResourceType) {
        self.type = type
    }

    /// Reads a declared target; nil when it is none of AWS's. The file has been checked when it was loaded.
    init?(_ declaration: TargetDeclaration) {
        guard case .kind(let source) = declaration.source, source.kind == AWSTargetSource.kind else { return nil }
        let json = source.parameters.json
        guard let type = ResourceType(rawValue: json["type"]?.string ?? "") else { return nil }
        self.type = type
        ids = texts(json["ids"])
        arns = texts(json["arns"])
        tags = (json["tags"]?.object ?? [:]).compactMapValues(\.string)
        zone = json["zone"]?.string
        cluster = json["cluster"]?.string
        service = json["service"]?.string
        region = json["region"]?.string
        mode = declaration.mode
    }

    /// The region that is written, as a key or in an ARN.
    var writtenRegion: String? { region ?? arns.lazy.compactMap { ARN($0)?.region }.first }
    /// The account that an ARN names.
    var writtenAccount: String? { arns.lazy.compactMap { ARN($0)?.account }.first { !$0.isEmpty } }

    /// The keys of `targets: {name: {aws: …}}` in the order in which people write them.
    var text: YAMLText {
        var entries: [(String, YAMLText)] = [("type", .text(type.rawValue))]
        if !ids.isEmpty { entries.append(("ids", .list(ids.map(YAMLText.text)))) }
        if !arns.isEmpty { entries.append(("arns", .list(arns.map(YAMLText.text)))) }
        if !tags.isEmpty {
            entries.append(("tags", .mapping(tags.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })))
        }
        let rest = [("zone", zone), ("cluster", cluster), ("service", service), ("region", region)]
        entries += rest.compactMap { key, value in value.map { (key, .text($0)) } }
        return .mapping([("aws", .mapping(entries + mode.text))])
    }
}

/// A list of texts, where a single one stands for a list of one.
func texts(_ value: JSONValue?) -> [String] {
    if let list = value?.array { return list.compactMap(\.string) }
    return value?.string.map { [$0] } ?? []
}

extension SelectionMode {
    /// `mode` and `value`; nothing for all.
    fileprivate var text: [(String, YAMLText)] {
        switch self {
        case .all: []
        case .one: [("mode", .text("one"))]
        case .fixed(let count): [("mode", .text("fixed")), ("value", .plain("\(count)"))]
        case .fixedPercent(let share): [("mode", .text("fixed-percent")), ("value", .plain("\(share)"))]
        case .randomMaxPercent(let share): [("mode", .text("random-max-percent")), ("value", .plain("\(share)"))]
        }
    }
}
