/// The values behind `${name}` in one file, and the filling in.
struct Variables {
    private(set) var values: [String: String] = [:]
    /// Names whose value could not be found, which has been reported once.
    private(set) var unresolved: Set<String> = []
    /// Names of secrets: `${name}` stays as it is, so that the value cannot reach any output.
    var secrets: Set<String> = []
    private(set) var used: Set<String> = []

    mutating func define(_ name: String, as value: String?) {
        if let value { values[name] = value } else { unresolved.insert(name) }
    }

    func knows(_ name: String) -> Bool {
        values[name] != nil || unresolved.contains(name) || secrets.contains(name)
    }

    /// The node with every variable filled in, once: what a value holds is not read again.
    mutating func fill(_ node: Node, _ source: SourceText, into diagnostics: inout Diagnostics) -> Node {
        switch node {
        case .scalar(let scalar): return .scalar(fill(scalar, source, into: &diagnostics))
        case .sequence(let nodes, let location):
            return .sequence(nodes.map { fill($0, source, into: &diagnostics) }, location)
        case .mapping(var mapping):
            for index in mapping.entries.indices {
                let entry = mapping.entries[index]
                if entry.key.contains("${") {
                    diagnostics.error("a variable is not filled in inside a key", at: entry.keyLocation)
                }
                mapping.entries[index].value = fill(entry.value, source, into: &diagnostics)
            }
            return .mapping(mapping)
        }
    }

    private mutating func fill(
        _ scalar: Node.Scalar, _ source: SourceText, into diagnostics: inout Diagnostics
    ) -> Node.Scalar {
        guard scalar.text.contains("${") else { return scalar }
        var result = scalar
        result.written = scalar.text
        result.text = ""
        var place = PlaceFinder(scalar, source)
        var rest = scalar.text[...]
        while let mark = rest.firstRange(of: "${") {
            let isEscaped = mark.lowerBound > rest.startIndex && rest[rest.index(before: mark.lowerBound)] == "$"
            result.text += isEscaped ? rest[..<mark.lowerBound].dropLast() : rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...]
            let name = rest.firstIndex(of: "}").map { String(rest[..<$0]) }
            if isEscaped {
                checkEscape(name, place.next(after: "$${"), into: &diagnostics)
                result.text += "${"
                continue
            }
            let location = place.next(after: "${")
            guard let name else {
                diagnostics.error("'${' without '}'", at: location, notes: ["write $${ for a literal ${"])
                result.isUnresolved = true
                break
            }
            rest = rest.dropFirst(name.count + 1)
            guard let value = value(of: name, at: location, into: &diagnostics) else {
                result.isUnresolved = true
                continue
            }
            result.text += value
        }
        result.text += rest
        return result
    }

    private mutating func value(of name: String, at location: Location, into diagnostics: inout Diagnostics) -> String?
    {
        used.insert(name)
        if secrets.contains(name) { return "${\(name)}" }
        if let value = values[name] { return value }
        if unresolved.contains(name) { return nil }
        let known = values.keys.sorted() + unresolved.sorted() + secrets.sorted()
        let nearest = suggestion(for: name, among: known).map { "did you mean '${\($0)}'?" }
        let advice = "declare it under configuration, or write $${ for a literal ${"
        diagnostics.error("'\(name)' is no declared variable", at: location, notes: [nearest ?? advice])
        return nil
    }

    /// An escaped name of a secret would read like the secret itself where secrets are revealed.
    private func checkEscape(_ name: String?, _ location: Location, into diagnostics: inout Diagnostics) {
        guard let name, secrets.contains(name) else { return }
        diagnostics.error(
            "'$${\(name)}' cannot be told from the secret '\(name)' when it is used", at: location,
            notes: ["rename the secret"])
    }
}

/// The place of each `${` of a scalar in the source, which quoting and folding move.
private struct PlaceFinder {
    private let scalar: Node.Scalar
    private let source: SourceText
    private var start: Location
    private let lines: Int

    init(_ scalar: Node.Scalar, _ source: SourceText) {
        self.scalar = scalar
        self.source = source
        start = scalar.location
        lines = scalar.text.unicodeScalars.count { $0 == "\n" } + 2
    }

    mutating func next(after mark: String) -> Location {
        guard start.file == source.file, let found = source.find(mark, from: start, lines: lines) else {
            return scalar.location
        }
        start = found
        start.column += mark.unicodeScalars.count
        return found
    }
}
