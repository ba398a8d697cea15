package import AWS
package import Basics
package import Contracts
package import HTTP
internal import Process
internal import TestSupport

/// The lab's cloud on loopback, a world of its own for one test: AWS's endpoints that check signatures, and a name server.
package final class CloudServer: Sendable {
    package let port: Int64
    package let namePort: Int64
    private let process: ChildProcess
    private let http: HTTPClient

    /// Its first start on a machine makes a Python environment, which takes half a minute.
    package init() throws {
        process = try ChildProcess(["\(Self.root)/scripts/lab/cloud/serve", "--port", "0", "--dns-port", "0"])
        guard let line = process.line(), let ports = try? JSONValue(parsing: line),
            let port = ports["port"]?.integer, let namePort = ports["dns-port"]?.integer
        else { throw NotServing() }
        self.port = port
        self.namePort = namePort
        http = try HTTPClient()
    }

    package struct NotServing: Error {}

    /// Where the project is.
    package static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

    package static let accessKey = "AKIASQUALLLAB0000001"
    package static let secretKey = "squall-lab-secret-0000000000000000000001"
    /// Known, and allowed nothing.
    package static let powerless = (access: "AKIASQUALLLAB0000002", secret: "squall-lab-secret-0000000000000000000002")

    package var url: String { "http://127.0.0.1:\(port)" }

    /// What makes AWS's own tools, and ours, talk to it. Never reads the files of whoever runs the tests.
    package var environment: [String: String] {
        [
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": Self.accessKey, "AWS_SECRET_ACCESS_KEY": Self.secretKey,
            "AWS_REGION": "us-east-1", "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            "AWS_EC2_METADATA_DISABLED": "true",
        ]
    }

    /// A client of it; `changes` to the environment win, an empty value takes a variable away.
    package func client(_ changes: [String: String] = [:]) throws -> AWSClient {
        AWSClient(
            http: http, commands: try LocalCommandRunner(),
            environment: environment.merging(changes) { _, changed in changed }.filter { !$0.value.isEmpty },
            random: { 0.05 })
    }

    /// What faults and probes get, with a client of it among the services.
    package func context(run: String, _ changes: [String: String] = [:]) throws -> SystemContext {
        var services = Services()
        services.register(try client(changes))
        services.register(http)
        return SystemContext(time: SystemTimeSource(), services: services, secrets: .empty, run: run) { _ in }
    }

    /// Asks the lab's own path, which no client of AWS knows.
    @discardableResult
    package func lab(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSONValue? = nil
    ) async throws -> JSONValue {
        let bytes = try body.map { HTTPRequest.Body.bytes(Array(try $0.text().utf8)) } ?? .none
        let response = try await http.send(
            HTTPRequest(method, "\(url)/squall-lab/\(path)", headers: ["Content-Type": "application/json"], body: bytes)
        )
        guard response.status < 300 else { throw Refused(path: path, text: response.text) }
        return response.text.isEmpty ? .null : try JSONValue(parsing: response.text)
    }

    package struct Refused: Error {
        package var path: String
        package var text: String
    }

    /// Ids, names and ports.
    package func world() async throws -> JSONValue { try await lab(.get, "world") }

    /// The next calls that match go wrong.
    package func spoil(_ rule: [String: JSONValue]) async throws { try await lab(.post, "rules", .object(rule)) }

    package func set(_ settings: [String: JSONValue]) async throws {
        try await lab(.post, "settings", .object(settings))
    }

    /// How often an operation was called: `FailoverDBCluster`.
    package func count(_ operation: String) async throws -> Int {
        let log = try await lab(.get, "calls?action=\(operation)")
        return (log.array ?? log["calls"]?.array ?? []).count
    }
}
