internal import Basics
internal import CPostgres
package import Contracts
package import Experiment

/// A connection string as written in the file: libpq's key/value form or a URI, `${secret}` unrevealed.
///
/// This text may be stored, journalled and printed; the values of secrets enter only `ConnectionParameters`.
package struct DSN: Sendable, Hashable, Codable, CustomStringConvertible {
    package var text: String

    package init(_ text: String) {
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }

    /// Reads the string and reveals its secrets; call it at the moment of connecting, keep nothing of the result.
    ///
    /// The form is read before the secrets are filled in, so that a password needs no quoting and cannot reach a
    /// parser's message. Only a string that is a secret as a whole is read after it.
    package func revealed(_ secrets: SecretStore) throws(PostgresError) -> ConnectionParameters {
        do throws(FaultError) {
            if isSecret {
                let read = readConnectionString(try secrets.reveal(text))
                guard case .options(let options) = read else {
                    throw FaultError(.notApplicable, "the secret \(text) holds no connection string")
                }
                return ConnectionParameters(options)
            }
            var revealed: [String: String] = [:]
            switch readConnectionString(text) {
            case .malformed(let message): throw FaultError(.notApplicable, message)
            case .options(let options):
                for (keyword, value) in options { revealed[keyword] = try secrets.reveal(value) }
            }
            return ConnectionParameters(revealed)
        } catch {
            throw PostgresError(.invalidDSN, phase: .connect, message: error.message)
        }
    }

    /// What is wrong with the string as written; nil when it can be used.
    package var problem: String? {
        if isSecret { return nil }
        switch readConnectionString(text) {
        case .malformed(let message): return message
        case .options(let options):
            if options["service"] != nil {
                return "connection services are not read; write host and port"
            }
            if let password = options["password"], !password.contains("${") {
                return "the password stands here in clear text and would reach the journal; declare it under secrets "
                    + "and write password=${name}"
            }
            return nil
        }
    }

    /// The whole text is one `${name}`: nothing can be read before it is revealed.
    private var isSecret: Bool { text.hasPrefix("${") && text.hasSuffix("}") && !text.dropFirst(2).contains("${") }
}

extension ValueType where Value == DSN {
    /// A PostgreSQL connection string, checked for its form and for secrets in clear text when the file is loaded.
    package static var dsn: ValueType {
        let expectation = "a PostgreSQL connection string, for example \"host=127.0.0.1 port=5432 dbname=app\""
        return ValueType(
            expectation: expectation, schema: .object(["type": .string("string")]), placeholder: DSN("")
        ) { node, diagnostics in
            guard case .scalar(let scalar) = node, !scalar.text.isEmpty else {
                diagnostics.error("expected \(expectation), found \(node.shape)", at: node.location)
                return nil
            }
            let dsn = DSN(scalar.text)
            guard let problem = dsn.problem else { return dsn }
            diagnostics.error("this connection string cannot be used: \(problem)", at: node.location)
            return nil
        }
    }
}

private enum ConnectionString {
    case options([String: String])
    case malformed(String)
}

/// libpq's own reader, so that every form it knows works here too.
private func readConnectionString(_ text: String) -> ConnectionString {
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(text, &message) else {
        defer { PQfreemem(message) }
        // libpq quotes the place where it stopped, which may be inside a password.
        if text.contains("password") || text.contains("@") { return .malformed("this is not a connection string") }
        let reason = message.map { String(cString: $0) } ?? "out of memory"
        return .malformed(String(reason.prefix { $0 != "\n" }))
    }
    defer { PQconninfoFree(options) }
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
        if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
        option += 1
    }
    return .options(values)
}
