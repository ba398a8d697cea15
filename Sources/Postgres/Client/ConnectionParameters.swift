internal import Glibc

/// libpq's parameters with every secret revealed. Lives from the reveal to the connect; prints no secret.
package struct ConnectionParameters: Sendable, CustomStringConvertible {
    /// One place to try: what libpq gets as `host`, `hostaddr` and `port`.
    struct Endpoint: Sendable, Hashable {
        var host: String?
        var address: String?
        var port: String?

        /// A socket directory or an abstract socket, by libpq's rule.
        var isLocal: Bool { host.map { $0.hasPrefix("/") || $0.hasPrefix("@") } ?? true }
        var needsLookup: Bool { address == nil && !isLocal }
        var description: String { "\(address ?? host ?? "local socket"):\(port ?? "5432")" }
    }

    private(set) var values: [String: String]

    init(_ values: [String: String]) {
        self.values = values
        // Negotiating GSS costs a look at the credential cache and a round trip; users who need it say so.
        if values["gssencmode"] == nil && environment("PGGSSENCMODE") == nil { self.values["gssencmode"] = "disable" }
        self.values["fallback_application_name"] = "squall"
    }

    subscript(keyword: String) -> String? {
        get { values[keyword] }
        set { values[keyword] = newValue }
    }

    package var description: String {
        let shown = ["host", "hostaddr", "port", "user", "dbname"]
        return shown.compactMap { key in values[key].map { "\(key)=\($0)" } }.joined(separator: " ")
    }

    /// Seconds one place may take when there are several; libpq's rule: at least 2, none for 0 or nonsense.
    var secondsPerEndpoint: Int64? {
        guard let text = values["connect_timeout"] ?? environment("PGCONNECT_TIMEOUT"), let seconds = Int64(text),
            seconds > 0
        else { return nil }
        return max(2, seconds)
    }

    /// The values of `target_session_attrs` to try in order; libpq's `prefer-standby` is two passes.
    var sessionPasses: [String] {
        let wanted = values["target_session_attrs"] ?? environment("PGTARGETSESSIONATTRS") ?? "any"
        return wanted == "prefer-standby" ? ["standby", "any"] : [wanted]
    }

    /// The places of a string with one or several hosts, in order.
    func endpoints() throws(PostgresError) -> [Endpoint] {
        let hosts = list("host", "PGHOST")
        let addresses = list("hostaddr", "PGHOSTADDR")
        let ports = list("port", "PGPORT")
        let count = max(hosts.count, addresses.count, 1)
        guard hosts.isEmpty || addresses.isEmpty || hosts.count == addresses.count else {
            throw mismatch("\(hosts.count) hosts and \(addresses.count) addresses")
        }
        guard ports.count <= 1 || ports.count == count else {
            throw mismatch("\(count) hosts and \(ports.count) ports")
        }
        return (0..<count).map { index in
            Endpoint(
                host: element(hosts, index), address: element(addresses, index),
                port: ports.count == 1 ? element(ports, 0) : element(ports, index))
        }
    }

    /// The parameters for one attempt at one place.
    func attempt(at endpoint: Endpoint, session: String) -> [String: String] {
        var single = values
        single["host"] = endpoint.host
        single["hostaddr"] = endpoint.address
        single["port"] = endpoint.port
        single["target_session_attrs"] = session
        return single
    }

    private func list(_ keyword: String, _ variable: String) -> [Substring] {
        guard let text = values[keyword] ?? environment(variable), !text.isEmpty else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false)
    }

    private func element(_ list: [Substring], _ index: Int) -> String? {
        list.indices.contains(index) && !list[index].isEmpty ? String(list[index]) : nil
    }

    private func mismatch(_ what: String) -> PostgresError {
        PostgresError(.invalidDSN, phase: .connect, message: "the connection string has \(what)")
    }
}

/// An environment variable; empty counts as not set, as it does for libpq.
private func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}
