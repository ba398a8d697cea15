/// The parts of a Redis address.
///
/// The scheme is the one that redis-cli and most clients read (`redis`, `rediss`); the files for TLS are added to its query,
/// because the scheme names none: `ca`, `certificate`, `key`, and `name` when the certificate is for another host name.
package struct RedisEndpoint: Sendable, Hashable {
    /// Why a text is no address; never quotes it.
    package struct Malformed: Error {
        package var reason: String
    }

    /// Paths of PEM files, and the name that the server's certificate must be for.
    package struct TLS: Sendable, Hashable {
        /// nil: the system's own authorities.
        package var authorities: String?
        package var certificate: String?
        package var key: String?
        package var serverName: String?
    }

    package var host: String
    package var port: UInt16
    package var user: String?
    package var password: String?
    package var database: Int
    /// nil: without TLS.
    package var tls: TLS?

    package init(parsing text: String) throws(Malformed) {
        var rest = text[...]
        (tls, database, port) = (nil, 0, 6379)
        if let scheme = text.firstRange(of: "://") {
            switch text[..<scheme.lowerBound] {
            case "redis": break
            case "rediss": tls = TLS()
            default: throw Malformed(reason: "its scheme is neither redis:// nor rediss://")
            }
            rest = text[scheme.upperBound...]
        }
        let query = Self.cut(&rest, at: "?")
        if let path = Self.cut(&rest, at: "/"), !path.isEmpty {
            guard let number = Int(path), number >= 0 else { throw Malformed(reason: "its database is no number") }
            database = number
        }
        // A password may contain an @; an address cannot.
        if let at = rest.lastIndex(of: "@") {
            let credentials = rest[..<at]
            rest = rest[rest.index(after: at)...]
            let parts = credentials.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = parts[0].isEmpty ? nil : try Self.decoded(parts[0])
            password = parts.count > 1 ? try Self.decoded(parts[1]) : nil
        }
        (host, port) = try Self.place(rest)
        try read(query ?? "")
        if user != nil, password == nil { throw Malformed(reason: "it names a user without a password") }
    }

    /// What stands behind the separator, which is cut off with it; nil without one.
    private static func cut(_ text: inout Substring, at separator: Character) -> Substring? {
        guard let index = text.firstIndex(of: separator) else { return nil }
        let rest = text[text.index(after: index)...]
        text = text[..<index]
        return rest
    }

    /// `host`, `host:port`, `[2001:db8::1]:port`
    private static func place(_ text: Substring) throws(Malformed) -> (String, UInt16) {
        var host = text
        var port: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let after = text[text.index(after: end)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw Malformed(reason: "it has no port after the ]") }
            port = after.isEmpty ? nil : after.dropFirst()
        } else {
            port = cut(&host, at: ":")
        }
        guard !host.isEmpty else { throw Malformed(reason: "it names no host") }
        guard let port else { return (String(host), 6379) }
        guard let number = UInt16(port), number > 0 else { throw Malformed(reason: "its port is not from 1 to 65535") }
        return (String(host), number)
    }

    private mutating func read(_ query: Substring) throws(Malformed) {
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, tls != nil else {
                throw Malformed(reason: "a query is for rediss:// and has the form ?ca=/path")
            }
            let value = try Self.decoded(parts[1])
            switch parts[0] {
            case "ca": tls?.authorities = value
            case "certificate": tls?.certificate = value
            case "key": tls?.key = value
            case "name": tls?.serverName = value
            default: throw Malformed(reason: "its query may name ca, certificate, key and name")
            }
        }
        if let tls, (tls.certificate == nil) != (tls.key == nil) {
            throw Malformed(reason: "a certificate needs its key, and a key its certificate")
        }
    }

    /// `%40` is an `@`.
    private static func decoded(_ text: Substring) throws(Malformed) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else {
                throw Malformed(reason: "a % stands there without two hexadecimal digits")
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// For messages: `127.0.0.1:6379`, `[::1]:6379`.
    package var place: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
