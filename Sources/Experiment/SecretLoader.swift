/// Reads the value of a secret at the moment it is used; nothing keeps it.
package struct SecretLoader: Sendable {
    private let environment: [String: String]
    private let files: FileAccess

    package init(environment: [String: String], files: FileAccess = .system) {
        self.environment = environment
        self.files = files
    }

    /// The value; the line break that ends a file is not part of it. The error names the place, never the value.
    package func load(_ reference: SecretReference) throws(SecretProblem) -> String {
        switch reference.type {
        case .env:
            guard let value = environment[reference.key], !value.isEmpty else {
                throw SecretProblem(
                    "the environment variable \(reference.key) is not set", advice: "export \(reference.key)=…")
            }
            return value
        case .file: return try loadFile(reference.key)
        }
    }

    private func loadFile(_ path: String) throws(SecretProblem) -> String {
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try files.read(path)
        } catch {
            throw SecretProblem("the secret file \(path) cannot be read: \(error)", advice: "ls -l \(path)")
        }
        guard var value = String(validating: bytes, as: UTF8.self) else {
            throw SecretProblem("the secret file \(path) is not UTF-8 text", advice: "file \(path)")
        }
        if value.last?.isNewline == true { value.removeLast() }
        guard !value.isEmpty else { throw SecretProblem("the secret file \(path) is empty", advice: "ls -l \(path)") }
        return value
    }
}

/// Why a secret cannot be read; holds no part of its value.
package struct SecretProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var message: String
    /// The next command to type.
    package var advice: String

    package init(_ message: String, advice: String) {
        self.message = message
        self.advice = advice
    }

    package var description: String { "\(message); \(advice)" }
}
