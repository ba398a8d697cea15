import Basics
import Contracts
import Experiment
import Glibc
import Redis
import RedisSupport
import Testing

@Suite struct CommandProbeTests {
    private static let nowhere = Location(file: "test.yaml", line: 1, column: 1)

    private func node(_ text: String) -> Node { .scalar(.init(text, at: Self.nowhere)) }

    private func probe(
        _ command: [String], _ url: String, _ parameters: [(String, String)] = []
    ) -> (probe: CommandProbe?, findings: [String]) {
        let words = Node.sequence(command.map(node), Self.nowhere)
        let all = [("url", node(url)), ("command", words)] + parameters.map { ($0.0, node($0.1)) }
        var diagnostics = Diagnostics()
        let mapping = Node.mapping(.init(all.map { .init($0.0, at: Self.nowhere, $0.1) }, at: Self.nowhere))
        let probe = ParameterReader.read(mapping, CommandProbe.parameters, into: &diagnostics) {
            CommandProbe(name: "probe", from: &$0)
        }
        return (probe, diagnostics.all.map(\.message))
    }

    @Test(
        arguments: [
            (["PING"], "PONG", .ok, ""), (["PING"], "PANG", .failed, "mismatch"), (["LLEN", "jobs"], "<= 2", .ok, ""),
            (["LLEN", "jobs"], "> 2", .failed, "mismatch"), (["LRANGE", "jobs", "0", "-1"], "== 2", .ok, ""),
            (["GET", "nothing"], "", .failed, "null"), (["GET", "jobs"], "", .failed, "WRONGTYPE"),
            (["GET", "word"], "< 5", .failed, "not-comparable"), (["GET", "word"], "", .ok, ""),
        ] as [([String], String, Outcome, String)])
    func eachAnswerHasItsOutcome(command: [String], tolerance: String, outcome: Outcome, reason: String) async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let connection = try await fixture.connect(server.url)
        _ = try await connection.call(pipeline: [["RPUSH", "jobs", "a", "b"], ["SET", "word", "x"]], until: .soon())
        let parameters = [("every", "20ms")] + (tolerance.isEmpty ? [] : [("tolerance", tolerance)])
        let read = probe(command, server.url.text, parameters)
        let probe = try #require(read.probe, "\(read.findings)")
        #expect(await probe.preflight(in: fixture.context).isEmpty == (reason != "WRONGTYPE"))
        try await fixture.run(probe) {
            try await eventually("operations are recorded") { fixture.operations.count >= 2 }
        }
        for operation in fixture.operations {
            #expect(operation.outcome == outcome)
            #expect(operation.reason.text == reason)
        }
        if command[0] == "LLEN" { #expect(fixture.values.allSatisfy { $0 == 2 } && !fixture.values.isEmpty) }
    }

    @Test func anOutageIsSeenAndSoIsItsEnd() async throws {
        let (server, fixture) = (try await RedisServer(), try RedisFixture())
        let read = probe(["PING"], server.url.text, [("every", "20ms"), ("timeout", "100ms")])
        let probe = try #require(read.probe, "\(read.findings)")
        try await fixture.run(probe) {
            try await eventually("answers") { fixture.operations.count >= 2 }
            server.send(SIGSTOP)
            try await eventually("a timeout") { fixture.operations.contains { $0.reason.text == "timeout" } }
            server.send(SIGCONT)
            let failures = fixture.operations.filter { $0.outcome == .failed }.count
            #expect(failures > 0)
            try await eventually("an answer after the outage") { fixture.operations.last?.outcome == .ok }
            server.send(SIGKILL)
            try await eventually("a refusal") { fixture.operations.contains { $0.reason.text == "refused" } }
        }
    }

    @Test func whatCannotBeMeantIsRefused() {
        #expect(probe([], "cache").findings == ["a command has at least its name"])
        #expect(probe(["monitor"], "cache").findings == ["MONITOR has no answer to compare"])
        #expect(probe(["PING"], "cache", [("every", "0s")]).findings.count == 1)
        #expect(probe(["PING"], "redis://u:clear@cache").findings.first?.contains("clear text") == true)
        #expect(probe(["PING"], "cache:99999").findings.first?.contains("port") == true)
    }

    @Test func aWrongPasswordIsFoundBeforeTheRun() async throws {
        let server = try await RedisServer(["requirepass right"])
        let fixture = try RedisFixture(secrets: ["password": "wrong-one"])
        let read = probe(["PING"], "redis://:${password}@127.0.0.1:\(server.port)")
        let probe = try #require(read.probe, "\(read.findings)")
        let findings = await probe.preflight(in: fixture.context)
        #expect(findings.count == 1)
        #expect(findings.first?.severity == .error)
        #expect(findings.first?.message.contains("WRONGPASS") == true, "\(findings)")
        #expect(findings.first?.advice.hasPrefix("redis-cli -u") == true)
        #expect("\(findings)".contains("wrong-one") == false)
    }
}
