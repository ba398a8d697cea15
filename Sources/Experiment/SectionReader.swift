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

    /// Separates the keys of the format from those of the kind, and reports those that neither knows.
    ///
    /// The kind's own reader would report unknown keys too, but it cannot suggest a key of the format. Without a kind
    /// (it is missing or wrong) only misspelt keys of the format are reported: the others may be right for some kind.
    mutating func separate(
        _ mapping: Node.Mapping, format: [any AnyParameter], kind: (any CatalogKind)?
    ) -> (own: Node.Mapping, rest: Node.Mapping) {
        let formatKeys = format.map(\.key)
        let kindKeys = kind?.parameters.map(\.key) ?? []
        var own = Node.Mapping([], at: mapping.location)
        var rest = own
        for entry in mapping.entries {
            if formatKeys.contains(entry.key) {
                own.entries.append(entry)
            } else if kindKeys.contains(entry.key) {
                rest.entries.append(entry)
            } else if let nearest = reportUnknown(entry, kind, among: kindKeys + formatKeys) {
                if formatKeys.contains(nearest) {
                    own.standIn(for: nearest, at: entry.keyLocation)
                } else {
                    rest.standIn(for: nearest, at: entry.keyLocation)
                }
            }
        }
        return (own, rest)
    }

    /// Reports a key that is not known, and returns the one that was probably meant.
    mutating func reportUnknown(_ entry: Node.Entry, _ kind: (any CatalogKind)?, among keys: [String]) -> String? {
        let nearest = suggestion(for: entry.key, among: keys)
        if let nearest {
            diagnostics.error(
                "unknown key '\(entry.key)'", at: entry.keyLocation, notes: ["did you mean '\(nearest)'?"])
        } else if let kind {
            let known = kind.parameters.map(\.key)
            let list =
                known.isEmpty
                ? "'\(kind.kind)' has no parameters" : "'\(kind.kind)' knows \(known.joined(separator: ", "))"
            diagnostics.error("unknown key '\(entry.key)'", at: entry.keyLocation, notes: [list])
        }
        return nearest
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
