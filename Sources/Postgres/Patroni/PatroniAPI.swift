internal import Basics
internal import Contracts
internal import HTTP

/// The REST interface of a Patroni cluster, through whichever of its members answers.
struct PatroniAPI: Sendable {
    /// One member as the cluster view lists it.
    struct Member: Sendable, Hashable {
        var name: String
        var role: String
        var state: String
        /// Bytes of log it lacks; nil when unknown or when it leads.
        var lag: Int64?

        var isLeader: Bool { role == "leader" || role == "master" || role == "primary" || role == "standby_leader" }
        /// `running` up to version 3.0, `streaming` since.
        var isRunning: Bool { state == "running" || state == "streaming" }
    }

    private static let patience = Span.seconds(10)

    /// Base URLs in the order in which they are tried.
    let members: [String]
    private let client: HTTPClient
    private let context: SystemContext

    init(_ members: [String], in context: SystemContext) throws(FaultError) {
        self.members = members.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.context = context
        client = try context.services.require(HTTPClient.self)
    }

    /// All members, in the cluster's own order.
    func cluster() async throws(FaultError) -> [Member] {
        let answer = try await read("/cluster")
        return (answer["members"]?.array ?? []).map { member in
            Member(
                name: member["name"]?.string ?? "", role: member["role"]?.string ?? "",
                state: member["state"]?.string ?? "", lag: member["lag"]?.integer)
        }
    }

    /// Whether the cluster's configuration says that Patroni must not act.
    func isPaused() async throws(FaultError) -> Bool { try await configuration()["pause"]?.boolean ?? false }

    /// What all members obey. Patroni keeps keys that it does not know, which is where our marks stand.
    func configuration() async throws(FaultError) -> JSONValue { try await read("/config") }

    /// The database cluster behind the API: another one at the same address has another identifier.
    func system() async throws(FaultError) -> String? {
        // Also a member that does not lead or does not run answers here with what it knows, under its own status.
        let answer = try await send(.get, "/patroni", nil, patience: Self.patience)
        guard let document = try? JSONValue(parsing: answer.text) else { return nil }
        return document["database_system_identifier"]?.string
    }

    /// Changes the cluster's configuration; `null` removes a key.
    func patchConfiguration(_ change: JSONValue) async throws(FaultError) {
        let answer = try await send(.patch, "/config", change, patience: Self.patience)
        guard answer.status == 200 else { throw refusal("PATCH /config", answer) }
    }

    /// Asks for a change of leader and waits until Patroni says how it ended.
    func post(_ path: String, _ body: JSONValue, patience: Span) async throws(FaultError) -> String {
        let answer = try await send(.post, path, body, patience: patience)
        guard answer.status == 200 || answer.status == 202 else { throw refusal("POST \(path)", answer) }
        return answer.text
    }

    private func read(_ path: String) async throws(FaultError) -> JSONValue {
        let answer = try await send(.get, path, nil, patience: Self.patience)
        guard answer.status == 200 else { throw refusal("GET \(path)", answer) }
        do {
            return try JSONValue(parsing: answer.text)
        } catch {
            throw FaultError(.unexpected, "the answer of \(members[0])\(path) is no JSON", underlying: nil)
        }
    }

    /// Asks the members in turn until one answers. A request that changes something goes to the next member only when
    /// it certainly did not leave for this one.
    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue?, patience: Span
    ) async throws(FaultError) -> HTTPResponse {
        var failure: HTTPError?
        for member in members {
            var request = HTTPRequest(
                method, member + path, deadline: context.time.now + patience, connectTimeout: .seconds(2))
            if let body {
                request.headers.add("Content-Type", "application/json")
                do {
                    request.body = .bytes(Array(try body.text().utf8))
                } catch {
                    throw FaultError(.unexpected, "a request to \(member) cannot be written as JSON: \(error)")
                }
            }
            do throws(HTTPError) {
                return try await client.send(request)
            } catch {
                failure = error
                if error.code == .cancelled || (body != nil && !error.provesNothingHappened) { break }
            }
        }
        let list = members.joined(separator: ", ")
        let code: FaultError.Code =
            failure?.code == .timeout ? .timeout : failure?.code == .cancelled ? .cancelled : .unreachable
        throw FaultError(
            code, "Patroni did not answer at \(list)", advice: "curl -s \(members.first ?? "")/cluster",
            underlying: failure)
    }

    private func refusal(_ what: String, _ answer: HTTPResponse) -> FaultError {
        let text = answer.text.prefix(300)
        let code: FaultError.Code =
            switch answer.status {
            case 401, 403: .denied
            case 412: .notApplicable
            default: .unexpected
            }
        return FaultError(
            code, "Patroni answered \(what) with \(answer.status): \(text)",
            advice: "curl -s \(members.first ?? "")/cluster")
    }
}
