import Basics
import Contracts
import Controller
import Experiment
import HTTP
import Postgres
import TestSupport

/// The lab's Patroni cluster, reached through a relay that can be cut, or replaced by another cluster's API.
final class PatroniFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    let provesAbsence = false
    let namesakes = 1

    private let client: HTTPClient
    private let port: Int
    private let server: Held<ChildProcess>
    /// Where the lab's own APIs are.
    private static let lab = (1...3).map { "http://127.0.0.1:800\($0)" }
    private static let leader = "pg-1"

    init(_ contract: Contract) async throws {
        let step = try contract.fault()
        fault = step.fault
        context = try contractContext(run: "contract-\(freshToken())")
        client = try context.services.require(HTTPClient.self)
        let node = step.step.targets.first?.value == "primary" ? 1 : 2
        let relay = try ChildProcess(["python3", "-c", Self.relay, "800\(node)"])
        port = Int(relay.line() ?? "") ?? 0
        server = Held()
        server.value = relay
        let address = NodeAddress(
            dsn: DSN("host=127.0.0.1 port=500\(node) user=postgres dbname=app"),
            patroniURL: "http://127.0.0.1:\(port)")
        target = address.target(named: Label("pg-\(node)"))
        try await settle()
    }

    func state() async throws -> String {
        let configuration = try await read(Self.lab[0] + "/config")
        let leader = try await members().first { $0["role"]?.string == "leader" }?["name"]?.string ?? "nobody"
        let marks = (configuration.object ?? [:]).keys.filter { $0.hasPrefix("squall") }.sorted()
        return "\(leader) paused: \(configuration["pause"]?.boolean ?? false) \(marks)"
    }

    func identity() async throws -> String { try await read(Self.lab[0] + "/patroni")["timeline"]?.text() ?? "" }

    func comesToRest() async throws -> Bool {
        try await settle()
        return true
    }

    func destroy() async throws {
        server.value = nil
    }

    func putNamesake(_ number: Int) async throws {
        let namesake = try ChildProcess(["python3", "-c", Self.namesake, "\(port)"])
        _ = namesake.line()
        server.value = namesake
    }

    /// How often it was asked to change anything.
    func namesakeState() async throws -> String { try await read("http://127.0.0.1:\(port)/changes").text() }

    func remove() async throws {
        server.value = nil
        try await settle()
    }

    /// The state in which the lab is found and left: the first node leads, nobody is paused, all stream.
    private func settle() async throws {
        let clean = JSONValue.object(["pause": .null, "squall_pause": .null])
        _ = try await send(.patch, Self.lab[0] + "/config", clean)
        // A switchover that nobody waits for any more may come to pass a moment after the cluster looked healthy.
        var quietSince = context.time.now
        try await until("the lab is healthy and \(Self.leader) leads", within: .minutes(2)) { [self] in
            guard try await isSettled() else {
                quietSince = context.time.now
                return false
            }
            return context.time.now - quietSince > .seconds(4)
        }
    }

    /// Also asks for the switch back.
    private func isSettled() async throws -> Bool {
        let all = try await members()
        let leader = all.first { $0["role"]?.string == "leader" }
        let states = all.compactMap { $0["state"]?.string }
        let lags = all.compactMap { $0["lag"]?.integer }
        guard all.count == 3, let leader, states.allSatisfy({ $0 == "running" || $0 == "streaming" }),
            lags.allSatisfy({ $0 == 0 })
        else { return false }
        guard let name = leader["name"]?.string, name != Self.leader else { return true }
        let change = JSONValue.object(["leader": .string(name), "candidate": .string(Self.leader)])
        _ = try await send(.post, Self.lab[0] + "/switchover", change)
        return false
    }

    private func members() async throws -> [JSONValue] {
        try await read(Self.lab[0] + "/cluster")["members"]?.array ?? []
    }

    private func read(_ address: String) async throws -> JSONValue { try await send(.get, address, nil) }

    private func send(_ method: HTTPRequest.Method, _ address: String, _ body: JSONValue?) async throws -> JSONValue {
        var request = HTTPRequest(
            method, address, deadline: context.time.now + .minutes(1), connectTimeout: .seconds(2))
        if let body {
            request.headers.add("Content-Type", "application/json")
            request.body = .bytes(Array(try body.text().utf8))
        }
        let answer = try await client.send(request)
        return (try? JSONValue(parsing: answer.text)) ?? .null
    }

    /// Hands every connection on to the port that it is told.
    private static let relay = """
        import asyncio, sys
        async def copy(reader, writer):
            try:
                while data := await reader.read(65536):
                    writer.write(data); await writer.drain()
            except OSError: pass
            writer.close()
        async def serve(reader, writer):
            other, out = await asyncio.open_connection('127.0.0.1', int(sys.argv[1]))
            await asyncio.gather(copy(reader, out), copy(other, writer))
        async def main():
            server = await asyncio.start_server(serve, '127.0.0.1', 0)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()
        asyncio.run(main())
        """

    /// A cluster of the same member names that somebody else has paused, and in which another member leads.
    private static let namesake = """
        import http.server, json, sys
        changes = []
        answers = {'/config': {'pause': True}, '/patroni': {'database_system_identifier': '1'},
            '/cluster': {'members': [{'name': 'pg-1', 'role': 'replica', 'state': 'running', 'lag': 0},
                {'name': 'pg-3', 'role': 'leader', 'state': 'running'}]}}
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = json.dumps(changes if self.path == '/changes' else answers.get(self.path, {})).encode()
                self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
                self.wfile.write(body)
            def change(self):
                self.rfile.read(int(self.headers.get('Content-Length', 0)))
                changes.append(self.command + ' ' + self.path); self.answer()
            do_GET = answer
            do_POST = do_PATCH = do_PUT = do_DELETE = change
            def log_message(self, *ignored): pass
        server = http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
        print('ready', flush=True)
        server.serve_forever()
        """
}
