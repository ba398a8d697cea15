internal import Basics

extension SectionReader {
    /// Reads `targets`. `names` holds every declared name, also of targets that are wrong.
    mutating func targets(_ node: Node?) -> (targets: [TargetDeclaration], names: [String]) {
        let entries = entries(of: node, "targets")
        return (entries.compactMap { target($0) }, entries.map(\.key))
    }

    private mutating func target(_ entry: Node.Entry) -> TargetDeclaration? {
        guard let mapping = mapping(entry.value, "the target '\(entry.key)'") else { return nil }
        let (own, sources) = separateSources(mapping)
        let inner = sources.first { catalog.targetSource($0.key) != nil }
        let selection = lifted(own, from: inner)
        guard let (from, role, mode) = selectionKeys(selection) else { return nil }
        let source: TargetDeclaration.Source?
        switch (from, inner) {
        case (let from?, nil): source = probeSource(from, role, mapping)
        case (nil, let inner?):
            if role != nil { diagnostics.error("'is' goes with 'from'", at: mapping["is"]?.location) }
            source = kindSource(inner, name: entry.key)
        case (_?, let inner?):
            diagnostics.error("a target has one source: 'from' or '\(inner.key)'", at: inner.keyLocation)
            source = nil
        case (nil, nil):
            if sources.isEmpty, own[TargetKeys.from.key] == nil { reportMissingSource(entry, mapping) }
            source = nil
        }
        guard let source, let mode else { return nil }
        return TargetDeclaration(
            name: entry.key, source: source, mode: mode, location: entry.keyLocation,
            sourceLocation: from?.location ?? inner?.keyLocation)
    }

    /// The keys of a target itself, and the others: its source, and what nobody knows, which is reported.
    private mutating func separateSources(_ mapping: Node.Mapping) -> (own: Node.Mapping, sources: [Node.Entry]) {
        let known = catalog.targetSources.map(\.kind)
        let keys = TargetKeys.all.map(\.key)
        var own = Node.Mapping(mapping.entries.filter { keys.contains($0.key) }, at: mapping.location)
        let sources = mapping.entries.filter { !keys.contains($0.key) }
        for entry in sources where !known.contains(entry.key) {
            let nearest = suggestion(for: entry.key, among: known + keys)
            let list = "known keys: \((known + keys).joined(separator: ", "))"
            diagnostics.error(
                "unknown key '\(entry.key)'", at: entry.keyLocation,
                notes: [nearest.map { "did you mean '\($0)'?" } ?? list])
            if let nearest, keys.contains(nearest) { own.standIn(for: nearest, at: entry.keyLocation) }
        }
        for entry in sources.filter({ known.contains($0.key) }).dropFirst() {
            diagnostics.error("a target has one source", at: entry.keyLocation)
        }
        return (own, sources)
    }

    private mutating func reportMissingSource(_ entry: Node.Entry, _ mapping: Node.Mapping) {
        let known = catalog.targetSources.map { "\($0.kind): {…}" } + ["from: <probe>, is: <state>"]
        diagnostics.error(
            "the target '\(entry.key)' does not say where it is found", at: mapping.location,
            notes: ["write \(known.joined(separator: " or "))"])
    }

    /// `mode` and `value` may stand inside the source (`docker: {…, mode: one}`) or beside it.
    private mutating func lifted(_ own: Node.Mapping, from inner: Node.Entry?) -> Node {
        var mapping = own
        guard let inner, case .mapping(let source) = inner.value else { return .mapping(own) }
        for entry in source.entries where TargetKeys.selection.contains(where: { $0.key == entry.key }) {
            if mapping[entry.key] == nil {
                mapping.entries.append(entry)
            } else {
                diagnostics.error("'\(entry.key)' is given twice", at: entry.keyLocation)
            }
        }
        return .mapping(mapping)
    }

    private mutating func selectionKeys(_ node: Node) -> (Located<String>?, String?, SelectionMode?)? {
        ParameterReader.values(node, TargetKeys.all, into: &diagnostics) { reader in
            let (from, role) = (reader.value(TargetKeys.from), reader.value(TargetKeys.role))
            return (from, role, SelectionMode.read(&reader))
        }
    }

    private mutating func probeSource(
        _ from: Located<String>, _ role: String?, _ mapping: Node.Mapping
    ) -> TargetDeclaration.Source? {
        guard let role else {
            if isUnresolved(mapping[TargetKeys.from.key]) { return nil }
            diagnostics.error(
                "missing 'is': the state that makes a node of '\(from.value)' the target", at: mapping.location,
                notes: ["for example is: primary"])
            return nil
        }
        return .probe(name: from.value, role: role)
    }

    private mutating func kindSource(_ entry: Node.Entry, name: String) -> TargetDeclaration.Source? {
        guard let kind = catalog.targetSource(entry.key), let mapping = mapping(entry.value, "'\(entry.key)'") else {
            return nil
        }
        let (_, rest) = separate(mapping, format: TargetKeys.selection, kind: kind)
        let declaration = Declaration(
            name: name, kind: entry.key, parameters: .mapping(rest), location: entry.keyLocation)
        diagnostics.append(contentsOf: kind.check(declaration))
        return .kind(declaration)
    }
}

extension SelectionMode {
    /// Reads `mode` and `value`; nil beside an error.
    fileprivate static func read(_ reader: inout ParameterReader) -> SelectionMode? {
        let mode = reader.value(TargetKeys.mode)
        let value = reader.value(TargetKeys.value)
        guard !reader.diagnostics.hasErrors else { return nil }
        switch mode {
        case .all, .one:
            guard let value else { return mode == .all ? .all : .one }
            reader.diagnostics.error("mode '\(mode.rawValue)' takes no value", at: value.location)
            return nil
        case .fixed:
            if let count = value.flatMap({ Int($0.value) }), count > 0 { return .fixed(count) }
            return complain(&reader, mode, value, "a whole number of at least 1")
        case .fixedPercent, .randomMaxPercent:
            if let share = value.flatMap({ Share(parsing: $0.value) }), share.fraction > 0 {
                return mode == .fixedPercent ? .fixedPercent(share) : .randomMaxPercent(share)
            }
            return complain(&reader, mode, value, "a percentage above 0%, for example 50%")
        }
    }

    private static func complain(
        _ reader: inout ParameterReader, _ mode: TargetKeys.Mode, _ value: Located<String>?, _ expected: String
    ) -> SelectionMode? {
        if let value {
            let message = "mode '\(mode.rawValue)' needs \(expected), found '\(value.value)'"
            reader.diagnostics.error(message, at: value.location)
        } else {
            reader.diagnostics.error("mode '\(mode.rawValue)' needs a value: \(expected)", at: reader.location)
        }
        return nil
    }
}
