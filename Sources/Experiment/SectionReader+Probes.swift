extension SectionReader {
    /// Reads `probes`; a probe of an unknown kind is kept, so that its name counts as declared.
    mutating func probes(_ node: Node?) -> [Declaration] {
        entries(of: node, "probes").map { entry in
            let empty = Node.mapping(Node.Mapping([], at: entry.value.location))
            var declaration = Declaration(name: entry.key, kind: "", parameters: empty, location: entry.keyLocation)
            guard let mapping = mapping(entry.value, "the probe '\(entry.key)'") else { return declaration }
            let (own, rest) = split(mapping, ProbeKeys.all)
            guard
                let kind = ParameterReader.read(
                    own, ProbeKeys.all, into: &diagnostics, build: { $0.value(ProbeKeys.type) })
            else { return declaration }
            guard let known = catalog.probe(kind) else {
                let place = mapping[ProbeKeys.type.key]?.location ?? mapping.location
                if !isUnresolved(mapping[ProbeKeys.type.key]) {
                    unknownKind(kind, "kind of probe", among: catalog.probes.map(\.kind), at: place)
                }
                return declaration
            }
            declaration.kind = kind
            declaration.parameters = .mapping(self.known(rest, kind: known, format: ProbeKeys.all))
            diagnostics.append(contentsOf: known.check(declaration))
            return declaration
        }
    }

    func isUnresolved(_ node: Node?) -> Bool {
        if case .scalar(let scalar) = node { scalar.isUnresolved } else { false }
    }
}
