internal import Basics
internal import HTTP

/// AWS Signature Version 4 over a request as it goes onto the wire.
///
/// Source: "Signature Version 4 signing process" in AWS's documentation of IAM. Ours and not libcurl's, whose versions
/// differ in what they sign (path with an ARN, unsorted query, `%2B`).
struct SignatureV4: Sendable {
    /// The region of the credential scope.
    var region: String
    /// The signing name of the service, `rds`.
    var service: String

    /// What is signed, step by step, so that a test can hold each against the documentation.
    struct Signed: Sendable, Hashable {
        var canonicalRequest: String
        var stringToSign: String
        var signature: String
        /// The value of the `Authorization` header.
        var authorization: String
    }

    /// - Parameters:
    ///   - path: as sent, percent-encoded.
    ///   - query: as sent, without `?`; in any order.
    ///   - headers: all that is to be signed; `host` and `x-amz-date` must be among them.
    ///   - time: `20150830T123600Z`, the value of `x-amz-date`.
    func sign(
        _ method: String, path: String, query: String, headers: [HTTPHeaders.Field], body: [UInt8], at time: String,
        with credentials: AWSCredentials
    ) -> Signed {
        let (lines, names) = Self.canonical(headers)
        let canonicalRequest = [
            method, Self.canonicalPath(path), Self.canonicalQuery(query), lines, names,
            Digest.hexadecimal(Digest.sha256(body)),
        ].joined(separator: "\n")
        let scope = "\(time.prefix(8))/\(region)/\(service)/aws4_request"
        let stringToSign = [
            "AWS4-HMAC-SHA256", time, scope, Digest.hexadecimal(Digest.sha256(canonicalRequest.utf8)),
        ].joined(separator: "\n")
        let key = ["\(time.prefix(8))", region, service, "aws4_request"].reduce(
            Array("AWS4\(credentials.secretKey)".utf8)
        ) { key, part in Digest.authenticationCode(of: part.utf8, key: key) }
        let signature = Digest.hexadecimal(Digest.authenticationCode(of: stringToSign.utf8, key: key))
        return Signed(
            canonicalRequest: canonicalRequest, stringToSign: stringToSign, signature: signature,
            authorization: "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), "
                + "SignedHeaders=\(names), Signature=\(signature)")
    }

    /// Empty and dot segments resolved, then every byte but the unreserved ones encoded again: `%3A` becomes `%253A`.
    static func canonicalPath(_ path: String) -> String {
        var segments: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": _ = segments.popLast()
            default: segments.append(segment)
            }
        }
        let joined = segments.map { percentEncoded(String($0)) }.joined(separator: "/")
        return joined.isEmpty ? "/" : "/\(joined)\(path.hasSuffix("/") ? "/" : "")"
    }

    /// Each name and value decoded and encoded anew, sorted by encoded name, then value; `k=` for a name alone.
    static func canonicalQuery(_ query: String) -> String {
        query.split(separator: "&").map { pair -> (name: String, value: String) in
            let split = pair.firstIndex(of: "=") ?? pair.endIndex
            return (reencoded(pair[..<split]), split == pair.endIndex ? "" : reencoded(pair[split...].dropFirst()))
        }
        .sorted { left, right in
            left.name == right.name
                ? left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
                : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Lines `name:value` and the list of names. Values are trimmed, runs of blanks become one, repeated names one line.
    private static func canonical(_ headers: [HTTPHeaders.Field]) -> (lines: String, names: String) {
        var values: [String: [String]] = [:]
        for field in headers {
            let words = field.value.split { $0 == " " || $0 == "\t" || $0 == "\n" }
            values[field.name.lowercased(), default: []].append(words.joined(separator: " "))
        }
        let names = values.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let lines = names.map { "\($0):\(values[$0, default: []].joined(separator: ","))\n" }.joined()
        return (lines, names.joined(separator: ";"))
    }

    private static func reencoded(_ text: Substring) -> String { percentEncoded(decoding: percentDecoded(text)) }

    /// Bytes behind `%XX`; a `%` that begins no such pair stands for itself.
    private static func percentDecoded(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
