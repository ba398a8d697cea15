internal import Basics

/// Credentials as JSON: of a process, a container, an instance, single sign-on; the names differ in their first letter.
enum CredentialDocument {
    /// - Parameter source: for people, and for the error when something is missing; the document is never quoted.
    static func read(_ document: JSONValue, source: String) throws(AWSError) -> AWSCredentials {
        func text(_ name: String) -> String? {
            let lowercased = name.prefix(1).lowercased() + name.dropFirst()
            return (document[name] ?? document[lowercased])?.string.flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let access = text("AccessKeyId"), let secret = text("SecretAccessKey") else {
            let reason = text("Message") ?? "no access key, or no secret key in it"
            throw AWSError(.credentials, "what \(source) answered cannot be used: \(reason)")
        }
        return AWSCredentials(
            accessKey: access, secretKey: secret, sessionToken: text("SessionToken") ?? text("Token"),
            expiration: try expiration(document, source), source: source)
    }

    /// A text in RFC 3339, or milliseconds since 1970 (single sign-on).
    private static func expiration(_ document: JSONValue, _ source: String) throws(AWSError) -> WallInstant? {
        switch document["Expiration"] ?? document["expiration"] {
        case nil, .null: return nil
        case .integer(let milliseconds): return WallInstant(nanoseconds: milliseconds * 1_000_000)
        case .string(let text):
            if let instant = WallInstant(parsingISO8601: text) { return instant }
        default: break
        }
        throw AWSError(.credentials, "the expiration that \(source) answered is no date")
    }
}
