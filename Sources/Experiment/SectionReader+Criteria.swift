extension SectionReader {
    /// Reads `criteria`: a mapping from kinds, where a list stands for several of one kind, or a list of such mappings.
    mutating func criteria(_ node: Node?) -> [LocatedCriterion] {
        guard let node else { return [] }
        let entries: [Node.Entry]
        switch node {
        case .mapping(let mapping): entries = mapping.entries
        case .sequence(let nodes, _): entries = nodes.flatMap { mapping($0, "a criterion")?.entries ?? [] }
        case .scalar(let scalar) where scalar.text.isEmpty && !scalar.isQuoted: entries = []
        case .scalar:
            diagnostics.error("'criteria' is a mapping from kinds of criteria, found \(node.shape)", at: node.location)
            entries = []
        }
        let criteria = entries.flatMap { entry -> [LocatedCriterion] in
            guard let kind = catalog.criterion(entry.key) else {
                unknownKind(entry.key, "criterion", among: catalog.criteria.map(\.kind), at: entry.keyLocation)
                return []
            }
            if case .sequence(let nodes, _) = entry.value {
                return nodes.compactMap { criterion(kind, $0, at: $0.location) }
            }
            return criterion(kind, entry.value, at: entry.keyLocation).map { [$0] } ?? []
        }
        return named(criteria)
    }

    private mutating func criterion(_ kind: CriterionKind, _ node: Node, at location: Location) -> LocatedCriterion? {
        // `recovery:` alone is a criterion with its defaults.
        var node = node
        if case .scalar(let scalar) = node, scalar.text.isEmpty, !scalar.isQuoted {
            node = .mapping(Node.Mapping([], at: location))
        }
        guard let mapping = mapping(node, "the criterion '\(kind.kind)'") else { return nil }
        let (own, rest) = separate(mapping, format: CriterionKeys.all, kind: kind)
        let keys = ParameterReader.values(.mapping(own), CriterionKeys.all, into: &diagnostics) { reader in
            (
                reader.value(CriterionKeys.name), reader.value(CriterionKeys.probe),
                reader.value(CriterionKeys.after)
            )
        }
        let declaration = Declaration(name: "", kind: kind.kind, parameters: .mapping(rest), location: location)
        let facts = kind.examine(declaration)
        diagnostics.append(contentsOf: facts.diagnostics)
        guard let (name, probe, after) = keys else { return nil }
        if own[CriterionKeys.probe.key] == nil, !kind.accepts.isEmpty {
            diagnostics.error("missing 'probe': \(kind.kind) judges what a probe recorded", at: mapping.location)
        }
        if let probe, kind.accepts.isEmpty {
            diagnostics.error("\(kind.kind) judges no probe", at: probe.location, notes: ["remove 'probe'"])
        }
        return LocatedCriterion(
            kind: kind, declaration: declaration, name: name, nameLocation: mapping["name"]?.location, probe: probe,
            after: after, facts: facts)
    }

    /// Gives every criterion its name: as written, else its kind, else kind and number.
    private mutating func named(_ criteria: [LocatedCriterion]) -> [LocatedCriterion] {
        var places: [String: Location] = [:]
        for criterion in criteria {
            guard let name = criterion.name else { continue }
            let location = criterion.nameLocation ?? criterion.declaration.location
            if let first = places[name] {
                diagnostics.error(
                    "two criteria are named '\(name)'", at: location,
                    notes: ["the first is at \(first.file):\(first.line):\(first.column)"])
            }
            places[name] = places[name] ?? location
        }
        var taken = Set(places.keys)
        return criteria.map { criterion in
            var result = criterion
            let name = criterion.name ?? unique(criterion.kind.kind, among: taken)
            taken.insert(name)
            result.declaration.name = name
            return result
        }
    }
}

/// A criterion with the places of its parts.
struct LocatedCriterion: Sendable {
    var kind: CriterionKind
    var declaration: Declaration
    var name: String?
    var nameLocation: Location?
    var probe: Located<String>?
    var after: Located<String>?
    var facts: CriterionFacts

    var criterion: CriterionDeclaration {
        CriterionDeclaration(
            kind: kind.kind, probe: probe?.value, after: after?.value, declaration: declaration)
    }
}

/// The name, or the name with the first free number from 2 on.
func unique(_ name: String, among taken: Set<String>) -> String {
    guard taken.contains(name) else { return name }
    var number = 2
    while taken.contains("\(name)-\(number)") { number += 1 }
    return "\(name)-\(number)"
}
