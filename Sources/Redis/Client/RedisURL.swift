internal import Basics
package import Contracts
package import Experiment

/// Where one Redis or Sentinel answers, as written in the file: `redis://user:${secret}@host:6379/0`, with TLS as
/// `rediss://…?ca=/path/ca.crt`, or only `host:port`; `${secret}` unrevealed.
///
/// This text may be stored, journalled and printed; the values of secrets enter only `RedisEndpoint`.
package struct RedisURL: Sendable, Hashable, Codable, CustomStringConvertible {
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

    /// Reads the text and reveals its secrets; call it at the moment of connecting, keep nothing of the result.
    package func revealed(_ secrets: SecretStore) throws(RedisError) -> RedisEndpoint {
        do throws(FaultError) {
            let text = isSecret ? try secrets.reveal(text) : text
            var endpoint: RedisEndpoint
            do throws(RedisEndpoint.Malformed) {
                endpoint = try RedisEndpoint(parsing: text)
            } catch {
                // The message quotes nothing: the text may be a secret.
                throw FaultError(.notApplicable, error.reason)
            }
            endpoint.user = try endpoint.user.map { text throws(FaultError) in try secrets.reveal(text) }
            endpoint.password = try endpoint.password.map { text throws(FaultError) in try secrets.reveal(text) }
            return endpoint
        } catch {
            throw RedisError(.invalidURL, phase: .connect, message: error.message)
        }
    }

    /// The same user, password and way to another host and port; nil when the place does not stand in the text.
    package func moved(to place: String) -> RedisURL? {
        do throws(RedisEndpoint.Malformed) {
            let own = try RedisEndpoint(parsing: text).place
            return text.contains(own) ? RedisURL(text.replacing(own, with: place)) : nil
        } catch {
            return nil
        }
    }

    /// What is wrong with the text as written; nil when it can be used.
    package var problem: String? {
        if isSecret { return nil }
        do throws(RedisEndpoint.Malformed) {
            let endpoint = try RedisEndpoint(parsing: text)
            guard let password = endpoint.password, !password.contains("${") else { return nil }
            return
                "the password stands here in clear text and would reach the journal; declare it under secrets and write "
                + "redis://user:${name}@\(endpoint.host)"
        } catch {
            return error.reason
        }
    }

    /// The whole text is one `${name}`: nothing can be read before it is revealed.
    private var isSecret: Bool { text.hasPrefix("${") && text.hasSuffix("}") && !text.dropFirst(2).contains("${") }
}

extension ValueType where Value == RedisURL {
    /// The address of a Redis, checked for its form and for passwords in clear text when the file is loaded.
    package static var redis: ValueType {
        let expectation = "a Redis address, for example redis://127.0.0.1:6379"
        return ValueType(
            expectation: expectation, schema: .object(["type": .string("string")]), placeholder: RedisURL("")
        ) { node, diagnostics in
            guard case .scalar(let scalar) = node, !scalar.text.isEmpty else {
                diagnostics.error("expected \(expectation), found \(node.shape)", at: node.location)
                return nil
            }
            let url = RedisURL(scalar.text)
            guard let problem = url.problem else { return url }
            diagnostics.error("this Redis address cannot be used: \(problem)", at: node.location)
            return nil
        }
    }
}
