package import Basics
package import Contracts
package import Experiment
package import HTTP

/// Asks an HTTP endpoint at a fixed rate, as its clients would, and reports every arrival.
package struct HTTPCheckProbe: Probe {
    /// Which connections carry the requests.
    package enum Connections: String, Sendable, Hashable, CaseIterable {
        /// Requests go over open connections; a new one is made only when none is free.
        case kept
        /// Each request looks the name up and connects anew.
        case fresh
        /// By turns, as two paths of one probe: each at half the rate.
        case both
    }

    package static let kind = "http.check"
    package static let emits: Set<ObservationKind> = [.operations]
    package static let parameters = HTTPCheckParameters.all

    package let name: Label
    package let method: HTTPRequest.Method
    /// As written, `${secret}` unrevealed; likewise headers and body.
    package let url: String
    package let headers: [NamedValue<String>]
    package let body: String?
    package let rate: Rate
    package let timeout: Span
    package let connections: Connections
    package let tolerance: ResponseTolerance
    package let tls: TLSOptions
    package let redirects: HTTPRequest.Redirects
    package let maxBody: ByteCount
    /// The answer's header that names the node which answered.
    package let nodeHeader: String?

    package init(name: Label, from reader: inout ParameterReader) {
        typealias Keys = HTTPCheckParameters
        self.name = name
        url = reader.value(Keys.url)
        method = reader.value(Keys.method)
        headers = reader.value(Keys.headers)
        body = reader.value(Keys.body)
        rate = reader.value(Keys.rate)
        timeout = reader.value(Keys.timeout)
        connections = reader.value(Keys.connections)
        tolerance = Keys.tolerance(&reader)
        tls = reader.value(Keys.tls)
        redirects = reader.value(Keys.followRedirects) ? .followed(max: 5) : .refused
        maxBody = reader.value(Keys.maxBody)
        nodeHeader = reader.value(Keys.nodeHeader)
        Keys.check(self, &reader)
    }

    /// What a lost answer leaves open: nothing after a read, the effect after a write.
    package var action: Operation.Action {
        switch method {
        case .get, .head, .options: .read
        case .post, .put, .patch, .delete: .write
        }
    }

    /// Asks once when that changes nothing. No answer is only a warning: whether it must answer is the steady state's say.
    package func preflight(in context: SystemContext) async -> [Finding] {
        let request: HTTPRequest
        do throws(FaultError) {
            request = try makeRequest(.fresh, deadline: context.time.now + timeout, in: context)
        } catch {
            return [Finding(.error, "probe '\(name)': \(error.message)", advice: error.advice)]
        }
        guard action == .read else { return [] }
        do throws(HTTPError) {
            let client = try HTTPClient(name: "http-preflight")
            do throws(HTTPError) {
                _ = try await client.send(request)
            } catch {
                await client.close()
                throw error
            }
            await client.close()
            return []
        } catch {
            let severity: Diagnostic.Severity = error.code == .misuse ? .error : .warning
            return [Finding(severity, "probe '\(name)': \(context.secrets.redact("\(error)"))")]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        try HTTPCheckSession(self, in: context.system)
    }

    /// One request with its secrets revealed; never kept, never printed.
    func makeRequest(
        _ connection: HTTPRequest.Connection, deadline: Instant, in context: SystemContext
    ) throws(FaultError) -> HTTPRequest {
        var fields = HTTPHeaders()
        for header in headers { fields.add(header.name, try context.secrets.reveal(header.value)) }
        var content = HTTPRequest.Body.none
        if let body { content = .bytes(Array(try context.secrets.reveal(body).utf8)) }
        return HTTPRequest(
            method, try context.secrets.reveal(url), headers: fields, body: content, deadline: deadline, tls: tls,
            connection: connection, redirects: redirects, maxBody: maxBody, cancellation: .ignored)
    }
}
