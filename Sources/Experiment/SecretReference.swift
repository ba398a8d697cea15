/// Where a secret's value is found; the reference may be written down, the value may not.
package struct SecretReference: Sendable, Hashable, Codable {
    /// Where it is kept.
    package enum Source: String, Sendable, Hashable, Codable, CaseIterable {
        case env
        case file
    }

    package var type: Source
    /// The variable's name or the file's path.
    package var key: String

    package init(type: Source, key: String) {
        self.type = type
        self.key = key
    }
}
