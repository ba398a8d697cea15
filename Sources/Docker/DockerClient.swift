package import Basics
package import Contracts
internal import FoundationEssentials
internal import HTTP
internal import Synchronization

/// A client of the Docker Engine API.
///
/// The version is negotiated at the first call. A call that changes something is not broken off when its task is
/// cancelled: half a request would leave us not knowing; its own deadline ends it.
package final class DockerClient: ContainerEngine {
    package let endpoint: DockerEndpoint
    private let http: HTTPClient
    let time: any TimeSource
    private let negotiated = Mutex<EngineVersion?>(nil)
    /// For calls that the engine answers at once.
    static let promptTimeout = Span.seconds(15)

    package init(
        _ endpoint: DockerEndpoint, time: any TimeSource = SystemTimeSource()
    ) throws(FaultError) {
        self.endpoint = endpoint
        self.time = time
        do throws(HTTPError) {
            http = try HTTPClient(name: "docker", time: time)
        } catch {
            throw FaultError(.unexpected, "the client of the Docker engine could not be started", underlying: error)
        }
    }

    package var address: String { endpoint.address }
    package var mayBeLocal: Bool { endpoint.mayBeLocal }

    // MARK: Version

    /// The smaller of the engine's newest version and ours, or DOCKER_API_VERSION.
    package func version() async throws(FaultError) -> EngineVersion {
        if let known = negotiated.withLock({ $0 }) { return known }
        let ping = try await exchange(.get, "/_ping", timeout: Self.promptTimeout)
        guard (200..<300).contains(ping.status) else { throw failure(ping, "ask the engine for its version") }
        // Only engines before 1.24 leave the header out.
        let newest = ping.headers["Api-Version"].flatMap(APIVersion.init(parsing:)) ?? APIVersion(1, 0)
        // A socket proxy may allow nothing but what we need: without this answer the oldest version stays unknown.
        let answer = try await exchange(.get, "/version", timeout: Self.promptTimeout)
        let document = answer.status == 200 ? json(answer) : nil
        let oldest = document?["MinAPIVersion"]?.string.flatMap(APIVersion.init(parsing:))
        let version = EngineVersion(
            api: try choose(newest: newest, oldest: oldest), engine: document?["Version"]?.string ?? "",
            kernel: document?["KernelVersion"]?.string ?? "", system: document?["Os"]?.string ?? "")
        negotiated.withLock { $0 = version }
        return version
    }

    private func choose(newest: APIVersion, oldest: APIVersion?) throws(FaultError) -> APIVersion {
        guard newest >= .oldestSupported else {
            throw FaultError(
                .notApplicable,
                "the Docker engine at \(address) speaks API \(newest) at most; Squall needs \(APIVersion.oldestSupported)",
                advice: "upgrade the engine to 1.12 or later")
        }
        if let pinned = endpoint.pinnedVersion {
            guard pinned <= newest, pinned >= oldest ?? pinned else {
                let range = "\(oldest.map(String.init) ?? "?") to \(newest)"
                throw FaultError(
                    .notApplicable,
                    "DOCKER_API_VERSION is \(pinned), the Docker engine at \(address) speaks API \(range)",
                    advice: "unset DOCKER_API_VERSION")
            }
            return pinned
        }
        // An engine that has dropped the newest version we know is spoken to in its oldest.
        return max(min(newest, .newestKnown), oldest ?? .oldestSupported)
    }

    // MARK: Calls

    /// A call in the negotiated version; any 2xx is success, and those of `accepting`.
    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        timeout: Span = promptTimeout, accepting: Set<Int> = [], to purpose: String
    ) async throws(FaultError) -> HTTPResponse {
        let prefix = try await "/v\(version().api)"
        let response = try await exchange(method, prefix + path + queryText(query), body: body, timeout: timeout)
        guard (200..<300).contains(response.status) || accepting.contains(response.status) else {
            throw failure(response, purpose)
        }
        return response
    }

    /// A call whose answer goes on; the caller reads it to its end or lets go of it.
    func open(
        _ method: HTTPRequest.Method, _ path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        deadline: Instant?, to purpose: String
    ) async throws(FaultError) -> HTTPStream {
        let prefix = try await "/v\(version().api)"
        let request = try makeRequest(method, prefix + path + queryText(query), body: body, deadline: deadline)
        let refusal: HTTPResponse
        do throws(HTTPError) {
            let stream = try await http.stream(request)
            if (200..<300).contains(stream.head.status) { return stream }
            refusal = HTTPResponse(status: stream.head.status, body: try await stream.collect(upTo: 4_096))
        } catch {
            throw unreachable(error)
        }
        throw failure(refusal, purpose)
    }

    private func exchange(
        _ method: HTTPRequest.Method, _ path: String, body: JSONValue? = nil, timeout: Span
    ) async throws(FaultError) -> HTTPResponse {
        var request = try makeRequest(method, path, body: body, deadline: time.now + timeout)
        if method != .get { request.cancellation = .ignored }
        do throws(HTTPError) {
            return try await http.send(request)
        } catch {
            throw unreachable(error)
        }
    }

    private func makeRequest(
        _ method: HTTPRequest.Method, _ path: String, body: JSONValue?, deadline: Instant?
    ) throws(FaultError) -> HTTPRequest {
        var request = HTTPRequest(
            method, endpoint.baseURL + path, unixSocket: endpoint.unixSocket, deadline: deadline,
            connectTimeout: .seconds(10), tls: endpoint.tls)
        guard let body else { return request }
        do {
            request.body = .bytes(Array(try JSONEncoder().encode(body)))
        } catch {
            throw FaultError(.unexpected, "the body for \(path) cannot be encoded: \(error)")
        }
        request.headers["Content-Type"] = "application/json"
        return request
    }

    private func queryText(_ query: [(String, String)]) -> String {
        query.isEmpty ? "" : "?" + query.map { "\($0.0)=\(percentEncoded($0.1))" }.joined(separator: "&")
    }

    /// The answer's JSON; nil when it is none.
    func json(_ response: HTTPResponse) -> JSONValue? {
        try? JSONDecoder().decode(JSONValue.self, from: Data(response.body))
    }

    /// The answer's JSON, or an error that says what it should have been.
    func document(_ response: HTTPResponse, to purpose: String) throws(FaultError) -> JSONValue {
        guard let document = json(response) else {
            throw FaultError(.unexpected, "the Docker engine at \(address) sent no JSON when asked to \(purpose)")
        }
        return document
    }
}
