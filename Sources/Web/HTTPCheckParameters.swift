internal import Basics
package import Experiment
internal import HTTP

/// The keys of `http.check`, and what must hold between them.
package enum HTTPCheckParameters {
    static let url = Parameter<String>.required("url", .text, "http:// or https://; may hold ${secret}")
    static let method = Parameter<HTTPRequest.Method>.defaulted(
        "method", .choice(.get), to: .get, written: "GET", "GET, HEAD and OPTIONS count as reads, the others as writes")
    static let headers = Parameter<[NamedValue<String>]>.defaulted(
        "headers", .map(.text), to: [], written: "none", "headers of the request; values may hold ${secret}")
    static let body = Parameter<String?>.optional("request-body", .text, "the request's body; may hold ${secret}")
    static let rate = Parameter<Rate>.defaulted(
        "rate", .rate, to: Rate(perSecond: 10), written: "10/s", "requests per second, whatever the answers do")
    static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(2), written: "2s", "how long one request may take, the connection included")
    static let connections = Parameter<HTTPCheckProbe.Connections>.defaulted(
        "connections", .choice(.kept), to: .kept, written: "kept",
        "kept, fresh, or both by turns (as two paths, each at half the rate)")
    static let status = Parameter<[StatusPattern]>.defaulted(
        "status", .list(StatusPattern.type), to: [.hundreds(2)], written: "2xx", "the statuses that mean ok")
    static let header = Parameter<[NamedValue<Comparison>]>.defaulted(
        "header", .map(.comparison), to: [], written: "none", "headers of the answer and what must hold for each")
    static let expected = Parameter<ExpectedBody?>.optional(
        "body", ExpectedBody.type, "text that the answer's body must hold, or {contains: …, regex: …}")
    static let json = Parameter<[NamedValue<Comparison>]>.defaulted(
        "json", .map(.comparison), to: [], written: "none", "places in a JSON answer and what must hold at each")
    static let tls = Parameter<TLSOptions>.defaulted(
        "tls", tlsType, to: TLSOptions(), written: "the system's authorities", "whom to trust, and as whom to appear")
    static let followRedirects = Parameter<Bool>.defaulted(
        "follow-redirects", .boolean, to: false, written: "false", "true: follow up to 5; false: a 3xx is the answer")
    static let maxBody = Parameter<ByteCount>.defaulted(
        "max-body", .byteCount, to: ByteCount(bytes: 1_048_576), written: "1MiB", "a longer answer is a failure")
    static let nodeHeader = Parameter<String?>.optional(
        "node-header", .text, "the answer's header that names the node which answered")

    package static let all: [any AnyParameter] = [
        url, method, headers, body, rate, timeout, connections, status, header, expected, json, tls, followRedirects,
        maxBody, nodeHeader,
    ]

    private static let authority = Parameter<String?>.optional("ca", .text, "PEM file of the authorities to trust")
    private static let certificate = Parameter<String?>.optional("certificate", .text, "PEM file of our certificate")
    private static let key = Parameter<String?>.optional("key", .text, "PEM file of our key")
    private static let verify = Parameter<Bool>.defaulted(
        "verify", .boolean, to: true, written: "true", "false accepts any certificate for any name")

    private static var tlsType: ValueType<TLSOptions> {
        .record([authority, certificate, key, verify], placeholder: TLSOptions()) { reader in
            let verify = reader.value(verify)
            return TLSOptions(
                authorityFile: reader.value(authority), certificateFile: reader.value(certificate),
                keyFile: reader.value(key), verifiesPeer: verify, verifiesHost: verify)
        }
    }

    static func tolerance(_ reader: inout ParameterReader) -> ResponseTolerance {
        let expected = reader.value(expected) ?? ExpectedBody()
        let conditions = reader.value(json)
        let paths = conditions.map { JSONPath(parsing: $0.name) }
        for (condition, path) in zip(conditions, paths) where path == nil {
            reader.diagnostics.error(
                "'\(condition.name)' is no JSON path", at: reader.location(of: "json"),
                notes: ["write it like status, data.items[0].id or nodes[\"pg-1\"].lag"])
        }
        return ResponseTolerance(
            status: reader.value(status), headers: reader.value(header), bodyContains: expected.contains,
            bodyMatches: expected.regex,
            json: zip(paths, conditions).compactMap { path, condition in
                path.map { .init(path: $0, comparison: condition.value) }
            })
    }

    /// Refuses what could never work, while nothing has been touched.
    static func check(_ probe: HTTPCheckProbe, _ reader: inout ParameterReader) {
        let scheme = probe.url.prefix { $0 != ":" }.lowercased()
        let isURL = probe.url.hasPrefix("${") || (["http", "https"].contains(scheme) && probe.url.contains("://"))
        if reader.has("url"), !isURL {
            reader.diagnostics.error(
                "'\(probe.url)' is no http:// or https:// address", at: reader.location(of: "url"))
        }
        if probe.timeout < .milliseconds(1) {
            reader.diagnostics.error("'timeout' must be at least 1ms", at: reader.location(of: "timeout"))
        }
        if probe.tolerance.status.isEmpty {
            reader.diagnostics.error("'status' lists nothing", at: reader.location(of: "status"))
        }
        if probe.method == .head, probe.tolerance.bodyContains != nil || probe.tolerance.bodyMatches != nil {
            reader.diagnostics.error("the answer to HEAD has no body", at: reader.location(of: "body"))
        }
        do throws(PatternError) {
            if let text = probe.tolerance.bodyMatches { _ = try BodyPattern(text) }
        } catch {
            reader.diagnostics.error(
                "'regex' is no POSIX extended regular expression: \(error.message)", at: reader.location(of: "body"))
        }
    }
}

/// `body:` of a file: a text alone means `contains`.
struct ExpectedBody: Sendable, Hashable {
    var contains: String?
    var regex: String?

    private static let containsKey = Parameter<String?>.optional("contains", .text, "text that the body must hold")
    private static let regexKey = Parameter<String?>.optional(
        "regex", .text, "a POSIX extended regular expression that must match somewhere in the body")

    static var type: ValueType<ExpectedBody> {
        let short = ValueType<String>.text.map { ExpectedBody(contains: $0) }
        let long = ValueType<ExpectedBody>.record([containsKey, regexKey], placeholder: ExpectedBody()) { reader in
            ExpectedBody(contains: reader.value(containsKey), regex: reader.value(regexKey))
        }
        return .shorthand(short, or: long)
    }
}
