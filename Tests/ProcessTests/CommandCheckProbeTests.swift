import Basics
import Contracts
import Experiment
import Process
import Testing

@Suite struct CommandCheckProbeTests {
    /// Runs the probe until it has recorded `count` operations.
    private func observe(
        _ parameters: [(String, Value)], every: String = "50ms", count: Int = 1, secrets: [String: String] = [:]
    ) async throws -> (operations: [Contracts.Operation], events: [HistoryEvent]) {
        let fixture = try Fixture(secrets: secrets)
        let probe = try makeProbe(CommandCheckProbe.self, .map([("every", .text(every))] + parameters))
        let context = ProbeContext(system: fixture.context) { (_, _, _) throws(FaultError) in
            throw FaultError(.unexpected, "this probe changes nothing")
        } closeJournal: { _ in
        }
        let session = try await probe.start(in: context)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            _ = try await eventually { fixture.operations.count >= count }
            group.cancelAll()
        }
        try await session.close()
        return (fixture.operations.sorted { $0.sequence < $1.sequence }, fixture.recorded)
    }

    @Test(
        arguments: [
            (["command": ["true"]], .ok, ""),
            (["command": ["false"]], .failed, "exit-1"),
            (["command": ["sh", "-c", "exit 3"], "exit-code": "3"], .ok, ""),
            (["command": ["true"], "exit-code": "3"], .failed, "exit-0"),
            (["command": ["sh", "-c", "kill -SEGV $$"]], .failed, "SIGSEGV"),
            (["command": ["sleep", "60"], "timeout": "50ms"], .unknown, "timeout"),
            (["command": ["squall-no-such-program"]], .failed, "not-started-notFound"),
            (["command": ["echo", "all is well"], "output": "well"], .ok, ""),
            (["command": ["echo", "all is lost"], "output": "well"], .failed, "output-lacks-text"),
            (["command": ["echo", " ok "], "output": ["equals": "ok"]], .ok, ""),
            (["command": ["echo", "not ok"], "output": ["equals": "ok"]], .failed, "output-differs"),
            (["command": ["echo", "42"], "output": ["value": "< 100"]], .ok, ""),
            (["command": ["echo", "142"], "output": ["value": "< 100"]], .failed, "output-out-of-range"),
            (["command": ["echo", "many"], "output": ["value": "< 100"]], .failed, "output-no-number"),
            (["command": ["echo", "12ms"], "output": ["value": "<= 20ms"]], .ok, ""),
            (["command": ["echo", "12"], "output": ["value": "<= 20ms"]], .failed, "output-no-number"),
        ] as [(Value, Outcome, String)])
    func reportsEachOutcomeWithItsReason(parameters: Value, outcome: Outcome, reason: String) async throws {
        guard case .map(let members) = parameters else { return }
        let operation = try #require(try await observe(members).operations.first)
        #expect(operation.outcome == outcome)
        #expect(operation.reason.text == reason)
        #expect(operation.action == .check)
        #expect((operation.sent == nil) == reason.hasPrefix("not-started"))
        #expect(operation.end >= operation.due)
        if let sent = operation.sent { #expect(sent >= operation.due && sent <= operation.end) }
    }

    @Test func aSlowRunDelaysNoOther() async throws {
        let operations = try await observe([("command", ["sleep", "0.2"]), ("timeout", "60s")], count: 20).operations
        #expect(operations.map(\.sequence) == (0..<Int64(operations.count)).map(\.self))
        let gaps = zip(operations, operations.dropFirst()).map { $1.due - $0.due }
        #expect(gaps.allSatisfy { $0 == .milliseconds(50) })
        // On a machine that is overrun some are never started; that is the record's say, not this test's.
        let ran = operations.filter { $0.sent != nil }
        #expect(!ran.isEmpty)
        #expect(ran.filter { $0.outcome != .ok || $0.latency < .milliseconds(200) } == [])
    }

    @Test func whatIsInFlightAtTheEndIsStillReported() async throws {
        let operations = try await observe(
            [("command", ["sleep", "0.6"]), ("timeout", "60s")], every: "500ms", count: 1
        ).operations
        #expect(operations.count >= 2)
        #expect(operations.filter { $0.outcome != .ok } == [])
    }

    @Test func anOutputThatIsANumberIsAMeasurementToo() async throws {
        let events = try await observe([("command", ["echo", "17.5"])]).events
        let values = events.compactMap { if case .measurement(let measurement) = $0 { measurement } else { nil } }
        let first = try #require(values.first)
        #expect(first.value == 17.5 && first.metric == "value" && first.unit == .count)
    }

    @Test func aSecretIsRevealedToTheProgramOnly() async throws {
        let (operations, events) = try await observe(
            [("command", ["sh", "-c", "test \"$TOKEN\" = s3cret-value"]), ("environment", ["TOKEN": "${token}"])],
            secrets: ["token": "s3cret-value"])
        #expect(operations.first?.outcome == .ok)
        #expect(!"\(events)".contains("s3cret-value"))
    }

    @Test func preflightRefusesAProgramThatIsNotThere() async throws {
        let fixture = try Fixture()
        let missing = try makeProbe(CommandCheckProbe.self, ["command": ["squall-no-such-program"]])
        let findings = await missing.preflight(in: fixture.context)
        #expect(findings.map(\.severity) == [.error])
        #expect(findings.first?.message.contains("squall-no-such-program") == true)
        let failing = try makeProbe(CommandCheckProbe.self, ["command": ["false"]])
        #expect(await failing.preflight(in: fixture.context).isEmpty)
    }

    @Test(
        arguments: [
            ([:], "missing 'command'"), (["command": []], "names no program"),
            (["command": ["true"], "every": "0s"], "at least 1ms"),
            (["command": ["true"], "exit-code": "256"], "0 to 255"),
            (["command": ["true"], "output": ["valeu": "1"]], "unknown key 'valeu'"),
        ] as [(Value, String)])
    func refusesParametersThatCannotWork(parameters: Value, message: String) {
        let refused = #expect(throws: Refused.self) { try makeProbe(CommandCheckProbe.self, parameters) }
        #expect(refused?.messages.contains { $0.contains(message) } == true, "\(refused?.messages ?? [])")
    }
}
