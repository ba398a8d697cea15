internal import Yams

/// Reads YAML text into a `Node`, with the place of every key and value.
///
/// Anchors, aliases and merge keys (`<<`) work. A value that an alias repeats has the place of its anchor, because
/// that is the text to change when it is wrong.
enum YAMLReader {
    /// nil beside at least one error.
    static func read(_ source: SourceText, into diagnostics: inout Diagnostics) -> Node? {
        var duplicates = DuplicateKeys(source)
        do {
            guard let root = try duplicates.compose() else {
                let hint = "write a starter file with: squall init"
                diagnostics.error(
                    "the file is empty", at: Location(file: source.file, line: 1, column: 1), notes: [hint])
                return nil
            }
            var converter = NodeConverter(file: source.file, original: duplicates.original)
            let node = converter.convert(root, depth: 0)
            diagnostics.append(contentsOf: converter.diagnostics)
            return converter.diagnostics.hasErrors ? nil : node
        } catch {
            diagnostics.append(yamlDiagnostic(error, in: source))
            return nil
        }
    }
}

/// Composes although keys are repeated, so that each repetition can be reported at its own place.
///
/// Yams refuses the text at the first duplicate and names the place of the first use only. The first use is therefore
/// renamed to a key of the same length that cannot occur otherwise (a private-use character), and composing goes on;
/// `original` holds the true first characters by place.
private struct DuplicateKeys {
    struct Place: Hashable {
        var line: Int
        var column: Int
    }

    private let source: SourceText
    private(set) var original: [Place: Unicode.Scalar] = [:]

    init(_ source: SourceText) {
        self.source = source
    }

    mutating func compose() throws -> Yams.Node? {
        var text = source.text
        while true {
            do {
                return try Yams.compose(yaml: text, .basic)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                guard let renamed = rename(context.mark, in: text) else {
                    throw YamlError.duplicatedKeysInMapping(duplicates: keys, context: context)
                }
                text = renamed
            }
        }
    }

    private mutating func rename(_ mark: Mark, in text: String) -> String? {
        var column = mark.column
        let first = source.scalar(line: mark.line, column: column)
        if first == "\"" || first == "'" { column += 1 }
        let place = Place(line: mark.line, column: column)
        guard let scalar = source.scalar(line: mark.line, column: column), original[place] == nil,
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_",
            let substitute = Unicode.Scalar(0xE000 + UInt32(original.count)), original.count < 4_096
        else { return nil }
        original[place] = scalar
        var (line, position) = (1, 1)
        var result = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            result.append(line == place.line && position == place.column ? substitute : scalar)
            position += 1
            switch scalar {
            case "\n" where previous == "\r": position = 1
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": (line, position) = (line + 1, 1)
            default: break
            }
            previous = scalar
        }
        return String(result)
    }
}

/// Turns the parser's tree into ours: raw texts, merge keys resolved, duplicates reported.
private struct NodeConverter {
    let file: String
    let original: [DuplicateKeys.Place: Unicode.Scalar]
    var diagnostics = Diagnostics()
    private var count = 0

    /// Far above any experiment; aliases of aliases can multiply a few lines into billions of nodes.
    private static let largest = 100_000
    private static let deepest = 64

    init(file: String, original: [DuplicateKeys.Place: Unicode.Scalar]) {
        self.file = file
        self.original = original
    }

    mutating func convert(_ node: Yams.Node, depth: Int) -> Node {
        let location = location(of: node.mark)
        count += 1
        guard count < NodeConverter.largest, depth < NodeConverter.deepest else {
            if !diagnostics.hasErrors {
                let limit =
                    depth < NodeConverter.deepest ? "more than \(NodeConverter.largest) values" : "nested too deeply"
                diagnostics.error("the file is \(limit); are aliases repeated inside aliases?", at: location)
            }
            return .scalar(.init("", at: location))
        }
        switch node {
        case .scalar(let scalar):
            check(scalar.tag, at: location)
            let isQuoted = scalar.style != .plain && scalar.style != .any
            return .scalar(.init(scalar.string, isQuoted: isQuoted, at: location))
        case .sequence(let sequence):
            return .sequence(sequence.map { convert($0, depth: depth + 1) }, location)
        case .mapping(let mapping):
            return .mapping(convert(mapping, at: location, depth: depth))
        case .alias:
            diagnostics.error("this alias has no anchor before it", at: location)
            return .scalar(.init("", at: location))
        }
    }

    private mutating func convert(_ mapping: Yams.Node.Mapping, at location: Location, depth: Int) -> Node.Mapping {
        var result = Node.Mapping([], at: location)
        var merged: [Node.Entry] = []
        for (key, value) in mapping {
            let place = self.location(of: key.mark)
            guard case .scalar(let scalar) = key else {
                diagnostics.error("a key must be a plain text", at: place)
                continue
            }
            if scalar.string == "<<", scalar.style == .plain {
                merged += merge(convert(value, depth: depth + 1))
                continue
            }
            let name = restored(scalar, at: place)
            if let first = result.entries.first(where: { $0.key == name }) {
                let known = first.keyLocation
                diagnostics.error(
                    "the key '\(name)' is used twice", at: place,
                    notes: ["first used at \(known.file):\(known.line):\(known.column)"])
                continue
            }
            result.entries.append(Node.Entry(name, at: place, convert(value, depth: depth + 1)))
        }
        for entry in merged where result[entry.key] == nil { result.entries.append(entry) }
        return result
    }

    /// The entries that `<<` brings in; keys of the mapping itself win, earlier sources win over later ones.
    private mutating func merge(_ node: Node) -> [Node.Entry] {
        switch node {
        case .mapping(let mapping): return mapping.entries
        case .sequence(let nodes, _): return nodes.flatMap { merge($0) }
        case .scalar:
            diagnostics.error("'<<' merges a mapping or a list of mappings, found \(node.shape)", at: node.location)
            return []
        }
    }

    private func restored(_ scalar: Yams.Node.Scalar, at location: Location) -> String {
        let isQuoted = scalar.style == .doubleQuoted || scalar.style == .singleQuoted
        let place = DuplicateKeys.Place(line: location.line, column: location.column + (isQuoted ? 1 : 0))
        guard let first = original[place] else { return scalar.string }
        var scalars = scalar.string.unicodeScalars
        if !scalars.isEmpty { scalars.removeFirst() }
        scalars.insert(first, at: scalars.startIndex)
        return String(scalars)
    }

    private mutating func check(_ tag: Tag, at location: Location) {
        let text = tag.description
        guard !text.isEmpty, text != "!", !text.hasPrefix("tag:yaml.org,2002:") else { return }
        diagnostics.error("the tag '\(text)' has no meaning here; remove it", at: location)
    }

    private func location(of mark: Mark?) -> Location {
        Location(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}
