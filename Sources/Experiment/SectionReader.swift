/// Reads the sections of one document, an experiment or a fault plan, whose variables are filled in.
///
/// A declaration that is wrong is kept where its name is known: a reference to it is then no second error.
struct SectionReader {
    let catalog: KindCatalog
    var diagnostics = Diagnostics()

    init(catalog: KindCatalog) {
        self.catalog = catalog
    }

    /// The entries of a section that maps names to declarations; checks the names.
    mutating func entries(of node: Node?, _ section: String) -> [Node.Entry] {
        guard let node else { return [] }
        if case .scalar(let scalar) = node, scalar.text.isEmpty, !scalar.isQuoted { return [] }
        guard case .mapping(let mapping) = node else {
            diagnostics.error("'\(section)' is a mapping from names, found \(node.shape)", at: node.location)
            return []
        }
        for entry in mapping.entries where !isVariableName(entry.key) {
            diagnostics.error(
                "'\(entry.key)' cannot be a name", at: entry.keyLocation,
                notes: ["use letters, digits, '_', '-' and '.', and begin with a letter"])
        }
        return mapping.entries
    }

    /// The elements of a section that is a list.
    mutating func elements(of node: Node?, _ section: String) -> [Node] {
        guard let node else { return [] }
        switch node {
        case .sequence(let nodes, _): return nodes
        case .scalar(let scalar) where scalar.text.isEmpty && !scalar.isQuoted: return []
        case .scalar, .mapping:
            diagnostics.error(
                "'\(section)' is a list, each entry beginning with '- ', found \(node.shape)", at: node.location)
            return []
        }
    }

    /// Separates the keys of the format from those of a kind, which other readers take.
    func split(_ mapping: Node.Mapping, _ own: [any AnyParameter]) -> (own: Node, rest: Node.Mapping) {
        let keys = Set(own.map(\.key))
        let mine = mapping.entries.filter { keys.contains($0.key) }
        let others = mapping.entries.filter { !keys.contains($0.key) }
        return (
            .mapping(Node.Mapping(mine, at: mapping.location)), Node.Mapping(others, at: mapping.location)
        )
    }

    /// Reports the keys that neither the kind nor the format knows, and returns the others.
    ///
    /// The kind's own reader would report them too, but it cannot suggest a key of the format.
    mutating func known(_ rest: Node.Mapping, kind: any CatalogKind, format: [any AnyParameter]) -> Node.Mapping {
        let keys = kind.parameters.map(\.key)
        var result = rest
        result.entries = rest.entries.filter { keys.contains($0.key) }
        for entry in rest.entries where !keys.contains(entry.key) {
            let nearest = suggestion(for: entry.key, among: keys + format.map(\.key)).map { "did you mean '\($0)'?" }
            let list =
                keys.isEmpty
                ? "'\(kind.kind)' has no parameters" : "'\(kind.kind)' knows \(keys.joined(separator: ", "))"
            diagnostics.error("unknown key '\(entry.key)'", at: entry.keyLocation, notes: [nearest ?? list])
        }
        return result
    }

    /// Reports a kind that is not in the catalog.
    mutating func unknownKind(_ kind: String, _ noun: String, among known: [String], at location: Location) {
        let nearest = suggestion(for: kind, among: known).map { "did you mean '\($0)'?" }
        let list = "known: \(known.sorted().joined(separator: ", "))"
        diagnostics.error("unknown \(noun) '\(kind)'", at: location, notes: [nearest ?? list])
    }

    /// The mapping, or an error that says what was expected.
    mutating func mapping(_ node: Node, _ noun: String) -> Node.Mapping? {
        if case .mapping(let mapping) = node { return mapping }
        if case .scalar(let scalar) = node, scalar.isUnresolved { return nil }
        diagnostics.error("\(noun) is a mapping, found \(node.shape)", at: node.location)
        return nil
    }
}
