/// One entry of `configuration`: where its value comes from.
private struct ConfigurationEntry: Sendable {
    enum Source: String, Sendable, CaseIterable {
        case env
        case file
    }

    var type: Source
    var key: String?
    var path: String?
    var fallback: String?
}

/// The keys of a variable and of a secret; one definition for reading and for the schema.
enum ConfigurationKeys {
    private static let type = Parameter<ConfigurationEntry.Source>.required(
        "type", .choice(.env), "env: an environment variable; file: the content of a file")
    private static let key = Parameter<String?>.optional("key", .text, "with env: the variable's name")
    private static let path = Parameter<String?>.optional("path", .text, "with file: the file's path")
    private static let fallback = Parameter<String?>.optional(
        "default", .anyText, "used when the variable is not set or empty, or the file is missing")

    static let variable: [any AnyParameter] = [type, key, path, fallback]
    static let secret: [any AnyParameter] = [type, key, path]

    fileprivate static func entry(
        _ node: Node, _ parameters: [any AnyParameter], into diagnostics: inout Diagnostics
    ) -> ConfigurationEntry? {
        ParameterReader.read(node, parameters, into: &diagnostics) { reader in
            let entry = ConfigurationEntry(
                type: reader.value(type), key: reader.value(key), path: reader.value(path),
                fallback: reader.has(fallback.key) ? reader.value(fallback) : nil)
            guard reader.has(type.key), !reader.diagnostics.hasErrors else { return entry }
            let (needed, other) = entry.type == .env ? (key, path) : (path, key)
            if !reader.has(needed.key) {
                reader.diagnostics.error(
                    "missing '\(needed.key)' beside type: \(entry.type.rawValue)", at: reader.location)
            }
            if reader.has(other.key) {
                reader.diagnostics.error(
                    "'\(other.key)' does not go with type: \(entry.type.rawValue)", at: reader.location(of: other.key))
            }
            return entry
        }
    }
}

/// Reads `configuration` and `secrets` into variables, in file order: an entry may use those before it.
struct ConfigurationReader {
    let environment: [String: String]
    let resolver: PathResolver
    let source: SourceText
    var diagnostics = Diagnostics()
    var variables = Variables()
    private(set) var configuration: [NamedValue<String>] = []
    private(set) var secrets: [NamedValue<SecretReference>] = []
    private(set) var places: [String: Location] = [:]

    init(environment: [String: String], resolver: PathResolver, source: SourceText) {
        self.environment = environment
        self.resolver = resolver
        self.source = source
    }

    /// Reads both sections; `overrides` win over whatever the file says.
    mutating func read(configuration node: Node?, secrets secretNode: Node?, overrides: [NamedValue<String>]) {
        let declared = entries(of: secretNode, "secrets")
        variables.secrets.formUnion(declared.map(\.key))
        for entry in entries(of: node, "configuration") {
            checkName(entry, "variable")
            if variables.secrets.contains(entry.key) {
                diagnostics.error("'\(entry.key)' is declared as a secret too", at: entry.keyLocation)
                continue
            }
            places[entry.key] = entry.keyLocation
            let override = overrides.last { $0.name == entry.key }?.value
            let value = override ?? self.value(of: entry)
            define(entry.key, as: value)
        }
        for entry in declared {
            checkName(entry, "secret")
            places[entry.key] = entry.keyLocation
            readSecret(entry)
        }
    }

    /// Gives a variable a value that no section declares (a parameter of a fault plan).
    mutating func define(_ name: String, as value: String?) {
        variables.define(name, as: value)
        if let value { configuration.append(NamedValue(name: name, value: value)) }
    }

    mutating func entries(of node: Node?, _ section: String) -> [Node.Entry] {
        switch node {
        case .mapping(let mapping): return mapping.entries
        case .scalar(let scalar) where scalar.text.isEmpty && !scalar.isQuoted: return []
        case .scalar, .sequence:
            guard let node else { return [] }
            diagnostics.error("'\(section)' is a mapping from names to values, found \(node.shape)", at: node.location)
            return []
        case nil: return []
        }
    }

    mutating func checkName(_ entry: Node.Entry, _ noun: String) {
        guard !isVariableName(entry.key) else { return }
        diagnostics.error(
            "'\(entry.key)' cannot be the name of a \(noun)", at: entry.keyLocation,
            notes: ["use letters, digits, '_', '-' and '.', and begin with a letter"])
    }

    private mutating func value(of entry: Node.Entry) -> String? {
        let node = variables.fill(entry.value, source, into: &diagnostics)
        if case .scalar(let scalar) = node {
            if scalar.isUnresolved { return nil }
            if !scalar.text.isEmpty || scalar.isQuoted { return scalar.text }
            diagnostics.error("the variable '\(entry.key)' has no value", at: entry.keyLocation)
            return nil
        }
        guard let declared = ConfigurationKeys.entry(node, ConfigurationKeys.variable, into: &diagnostics) else {
            return nil
        }
        switch declared.type {
        case .env: return environmentValue(declared, entry)
        case .file: return fileValue(declared, entry)
        }
    }

    private mutating func environmentValue(_ declared: ConfigurationEntry, _ entry: Node.Entry) -> String? {
        let key = declared.key ?? ""
        // CI systems hand an unset variable over as an empty one.
        if let value = environment[key], !value.isEmpty { return value }
        if let fallback = declared.fallback { return fallback }
        diagnostics.error(
            "'\(entry.key)' needs the environment variable \(key), which is not set", at: entry.keyLocation,
            notes: ["export \(key)=…, pass --var \(entry.key)=…, or add a default"])
        return nil
    }

    private mutating func fileValue(_ declared: ConfigurationEntry, _ entry: Node.Entry) -> String? {
        let written = declared.path ?? ""
        let path = resolver.resolve(written, from: source.file)
        if path == nil, let fallback = declared.fallback { return fallback }
        do throws(FileProblem) {
            guard let path else { throw FileProblem(.missing, "there is no such file") }
            let bytes = try resolver.files.read(path)
            guard var text = String(validating: bytes, as: UTF8.self) else {
                throw FileProblem(.unreadable, "it is not UTF-8 text")
            }
            if text.last?.isNewline == true { text.removeLast() }
            return text
        } catch {
            diagnostics.error(
                "'\(entry.key)' cannot be read from \(written): \(error)", at: entry.value.location,
                notes: ["create the file, pass --var \(entry.key)=…, or add a default"])
            return nil
        }
    }

    private mutating func readSecret(_ entry: Node.Entry) {
        let node = variables.fill(entry.value, source, into: &diagnostics)
        guard let declared = ConfigurationKeys.entry(node, ConfigurationKeys.secret, into: &diagnostics) else { return }
        let reference: SecretReference
        switch declared.type {
        case .env: reference = SecretReference(type: .env, key: declared.key ?? "")
        case .file:
            let written = declared.path ?? ""
            reference = SecretReference(
                type: .file, key: resolver.resolve(written, from: source.file) ?? written)
        }
        do throws(SecretProblem) {
            _ = try SecretLoader(environment: environment, files: resolver.files).load(reference)
            secrets.append(NamedValue(name: entry.key, value: reference))
        } catch {
            diagnostics.error("secret '\(entry.key)': \(error.message)", at: entry.keyLocation, notes: [error.advice])
        }
    }
}

/// Letters, digits, `_`, `-` and `.`, beginning with a letter or `_`.
func isVariableName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
    return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "_-.".utf8.contains($0) }
}

private func isLetter(_ byte: UInt8) -> Bool {
    (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
}
