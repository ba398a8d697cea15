package import Basics
package import Contracts
internal import HTTP

extension DockerClient {
    package func containers(
        _ scope: ContainerScope, labels: [String: String]
    ) async throws(FaultError) -> [ContainerSummary] {
        var query = [("all", scope == .any ? "1" : "0")]
        if !labels.isEmpty {
            let texts = labels.sorted { $0.key < $1.key }.map { JSONValue.string("\($0.key)=\($0.value)") }
            query.append(("filters", jsonText(.object(["label": .array(texts)]))))
        }
        let purpose = "list containers"
        let response = try await call(.get, "/containers/json", query: query, to: purpose)
        let list = try document(response, to: purpose).array ?? []
        return list.compactMap(ContainerSummary.init).sorted { $0.name < $1.name }
    }

    package func inspect(_ container: String) async throws(FaultError) -> ContainerDetails {
        let purpose = "inspect container \(short(container))"
        let response = try await call(.get, path(container, "json"), to: purpose)
        guard let details = ContainerDetails(try document(response, to: purpose)) else {
            throw FaultError(.unexpected, "the Docker engine described \(short(container)) without an id")
        }
        return details
    }

    package func top(_ container: String) async throws(FaultError) -> ProcessListing {
        let purpose = "list the processes of \(short(container))"
        let answer = try document(try await call(.get, path(container, "top"), to: purpose), to: purpose)
        let rows = (answer["Processes"]?.array ?? []).map { ($0.array ?? []).compactMap(\.string) }
        return ProcessListing(titles: (answer["Titles"]?.array ?? []).compactMap(\.string), processes: rows)
    }

    package func kill(_ container: String, signal: Signal) async throws(FaultError) {
        try await call(
            .post, path(container, "kill"), query: [("signal", String(signal.number))],
            to: "send \(signal) to \(short(container))")
    }

    package func stop(_ container: String, timeout: Span?) async throws(FaultError) {
        try await call(
            .post, path(container, "stop"), query: seconds(timeout), timeout: patience(timeout), accepting: [304],
            to: "stop \(short(container))")
    }

    package func start(_ container: String) async throws(FaultError) {
        try await call(
            .post, path(container, "start"), timeout: .seconds(60), accepting: [304], to: "start \(short(container))")
    }

    package func pause(_ container: String) async throws(FaultError) {
        try await call(.post, path(container, "pause"), to: "pause \(short(container))")
    }

    package func unpause(_ container: String) async throws(FaultError) {
        try await call(.post, path(container, "unpause"), to: "unpause \(short(container))")
    }

    package func restart(_ container: String, timeout: Span?) async throws(FaultError) {
        try await call(
            .post, path(container, "restart"), query: seconds(timeout), timeout: patience(timeout),
            to: "restart \(short(container))")
    }

    package func rename(_ container: String, to name: String) async throws(FaultError) {
        try await call(
            .post, path(container, "rename"), query: [("name", name)], to: "rename \(short(container)) to \(name)")
    }

    package func create(_ name: String, from body: JSONValue) async throws(FaultError) -> String {
        let purpose = "create container \(name)"
        let response = try await call(
            .post, "/containers/create", query: [("name", name)], body: body, timeout: .seconds(60), to: purpose)
        guard let id = try document(response, to: purpose)["Id"]?.string else {
            throw FaultError(.unexpected, "the Docker engine created \(name) without telling its id")
        }
        return id
    }

    package func connect(
        _ container: String, toNetwork network: String, endpoint: JSONValue
    ) async throws(FaultError) {
        try await call(
            .post, "/networks/\(percentEncoded(network))/connect",
            body: .object(["Container": .string(container), "EndpointConfig": endpoint]),
            to: "connect \(short(container)) to network \(network)")
    }

    package func remove(_ container: String) async throws(FaultError) {
        try await call(
            .delete, path(container, ""), query: [("force", "1"), ("v", "0")], timeout: .seconds(60),
            to: "remove \(short(container))")
    }

    // MARK: Parts of a call

    func path(_ container: String, _ action: String) -> String {
        "/containers/\(percentEncoded(container))" + (action.isEmpty ? "" : "/\(action)")
    }

    /// The engine counts whole seconds; a shorter wish becomes the next full one.
    private func seconds(_ timeout: Span?) -> [(String, String)] {
        timeout.map { [("t", String(Int(($0.seconds).rounded(.up))))] } ?? []
    }

    /// The engine answers once the container has stopped; without a timeout of ours its own counts, which we do not know.
    private func patience(_ timeout: Span?) -> Span {
        timeout.map { $0 + .seconds(30) } ?? .minutes(5)
    }
}

/// A container's id as people read it; names stay whole.
func short(_ container: String) -> String {
    container.utf8.count == 64 ? String(container.prefix(12)) : container
}
