extension SectionReader {
    /// Reads `probes`; a probe of an unknown kind is kept, so that its name counts as declared.
    mutating func probes(_ node: Node?) -> [Declaration] {
        entries(of: node, "probes").map { entry in
            let empty = Node.mapping(Node.Mapping([], at: entry.value.location))
            var declaration = Declaration(name: entry.key, kind: "", parameters: empty, location: entry.keyLocation)
            guard let mapping = mapping(entry.value, "the probe '\(entry.key)'") else { return declaration }
            let kind = probeKind(mapping)
            let (own, rest) = separate(mapping, format: ProbeKeys.all, kind: kind)
            _ = ParameterReader.values(.mapping(own), ProbeKeys.all, into: &diagnostics) { $0.value(ProbeKeys.type) }
            guard let kind else { return declaration }
            declaration.kind = kind.kind
            declaration.parameters = .mapping(rest)
            diagnostics.append(contentsOf: kind.check(declaration))
            return declaration
        }
    }

    private mutating func probeKind(_ mapping: Node.Mapping) -> ProbeKind? {
        guard let text = kindText(mapping[ProbeKeys.type.key]) else { return nil }
        if let kind = catalog.probe(text.text) { return kind }
        unknownKind(text.text, "kind of probe", among: catalog.probes.map(\.kind), at: text.location)
        return nil
    }

    /// The text that names a kind; nil when it is missing or no text, which reading the key reports.
    func kindText(_ node: Node?) -> Node.Scalar? {
        guard case .scalar(let scalar)? = node, !scalar.isUnresolved, !scalar.text.isEmpty else { return nil }
        return scalar
    }

    func isUnresolved(_ node: Node?) -> Bool {
        if case .scalar(let scalar) = node { scalar.isUnresolved } else { false }
    }
}
