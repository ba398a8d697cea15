import Basics
import Contracts
import Synchronization
import Testing

@testable import Docker

/// The client against the real engine.
@Suite(.enabled(if: isLabWanted, "needs a Docker engine with the lab's image: SQUALL_LAB=1"))
struct EngineLabTests {
    private final class Seen: Sendable {
        let actions = Mutex<[String]>([])
    }

    @Test func aProgramsOutputAndExitCodeComeBackApart() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let execution = Execution(
                ["sh", "-c", "echo out; echo err >&2; pwd; echo $A; exit 3"], environment: ["A": "b c"],
                workingDirectory: "/tmp")
            let deadline = lab.context.time.now + .seconds(20)
            let result = try await lab.engine.execute(execution, in: container.name, until: deadline)
            #expect(result.exitCode == 3)
            #expect(String(decoding: result.output.standardOutput, as: UTF8.self) == "out\n/tmp\nb c\n")
            #expect(String(decoding: result.output.standardError, as: UTF8.self) == "err\n")
        }
    }

    @Test func outputOverTheLimitIsCounted() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let execution = Execution(["head", "-c", "3000000", "/dev/zero"], outputLimit: 1_000)
            let deadline = lab.context.time.now + .seconds(20)
            let result = try await lab.engine.execute(execution, in: container.name, until: deadline)
            #expect(result.output.standardOutput.count == 1_000)
            #expect(result.output.totalOutput == 3_000_000)
        }
    }

    @Test func aProgramThatOutlivesItsDeadlineIsATimeout() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let deadline = lab.context.time.now + .milliseconds(500)
            let error = await #expect(throws: FaultError.self) {
                try await lab.engine.execute(Execution(["sleep", "600"]), in: container.name, until: deadline)
            }
            #expect(error?.code == .timeout)
        }
    }

    @Test func logsTopAndListingShowWhatRuns() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container(
                ["sh", "-c", "echo one; echo two; echo three >&2; exec sleep 600"], labels: ["squall.test.x": "y"])
            var logs = ContainerOutput()
            while logs.standardError.isEmpty { logs = try await lab.engine.logs(container.id, tail: 100) }
            #expect(logs.standardOutput == Array("one\ntwo\n".utf8))
            #expect(logs.standardError == Array("three\n".utf8))
            let table = try await lab.engine.top(container.id)
            #expect(table.titles.contains("PID"))
            #expect(table.processes.contains { $0.contains(String(container.pid)) })
            let listed = try await lab.engine.containers(.running, labels: ["squall.test.x": "y"])
            #expect(listed.map(\.id) == [container.id])
            #expect(listed.first?.state == .running)
        }
    }

    @Test func eventsArriveUntilTheReaderIsCancelled() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let seen = Seen()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do throws(FaultError) {
                        try await lab.engine.followEvents { event in
                            if event.container == container.id { seen.actions.withLock { $0.append(event.action) } }
                        }
                    } catch {
                        #expect(error.code == .cancelled)
                    }
                }
                // The stream may open after the first of these.
                while !seen.actions.withLock({ $0.contains("pause") && $0.contains("unpause") }) {
                    try await lab.engine.pause(container.id)
                    try await lab.engine.unpause(container.id)
                }
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func theVersionIsNegotiatedWithTheRealEngine() async throws {
        let lab = try LabFixture()
        let version = try await lab.engine.version()
        #expect(version.api >= .oldestSupported && version.api <= .newestKnown)
        #expect(!version.engine.isEmpty)
    }

    @Test(arguments: [
        ([("names", "A")], ["A"]), ([("regex", "A|B")], ["A", "B"]), ([("regex", "A.")], []),
        ([("labels", "{squall.test.kind=one}")], ["A"]), ([("image", "squall-lab"), ("names", "B")], ["B"]),
        ([("image", "squall-lab:latest"), ("names", "B")], ["B"]), ([("image", "squall-la"), ("names", "B")], []),
        ([("names", "C")], []), ([("names", "C"), ("state", "any")], ["C"]), ([("compose-service", "svc-A")], ["B"]),
        ([("names", "A"), ("labels", "{squall.test.kind=two}")], []),
    ])
    func aSelectionTakesWhatMatchesAllConditions(parameters: [(String, String)], expected: [String]) async throws {
        try await LabFixture.with { lab in
            let prefix = "squall-test-\(UInt32.random(in: 0..<UInt32.max))-"
            _ = try await lab.container(labels: ["squall.test.kind": "one"], name: prefix + "A")
            let compose = "com.docker.compose.service"
            _ = try await lab.container(
                labels: ["squall.test.kind": "two", compose: "\(prefix)svc-A"], name: prefix + "B")
            let stopped = try await lab.container(name: prefix + "C")
            try await lab.engine.stop(stopped.id, timeout: .zero)
            let completed = parameters.map { key, value in
                ["names", "compose-service"].contains(key)
                    ? (key, prefix + value) : key == "regex" ? (key, "\(prefix)(\(value))") : (key, value)
            }
            let source = try read(completed, DockerTargetSource.parameters) { DockerTargetSource(from: &$0) }
            // Other tests run at the same time with the same labels.
            let found = try await source.resolve(in: lab.context).filter { $0.name.hasPrefix(prefix) }
            #expect(found.map(\.name) == expected.map { prefix + $0 })
            for target in found { #expect(target.id == "container:\(target.attributes[.containerID] ?? "")") }
        }
    }

    @Test func aNodeIsFoundByNameThenServiceThenLabel() async throws {
        try await LabFixture.with { lab in
            let node = "squall-test-\(UInt32.random(in: 0..<UInt32.max))"
            func enriched() async throws -> Target {
                let target = Target(id: "node:\(node)", name: node, attributes: [.node: node])
                return try await ContainerEnricher().enrich(target, in: lab.context)
            }
            #expect(try await enriched().attributes[.containerID] == nil)
            let labelled = try await lab.container(labels: ["squall.node": node])
            #expect(try await enriched().attributes[.containerID] == labelled.id)
            let service = try await lab.container(labels: ["com.docker.compose.service": node])
            #expect(try await enriched().attributes[.containerID] == service.id)
            let second = try await lab.container(labels: ["com.docker.compose.service": node])
            let error = await #expect(throws: FaultError.self) { try await enriched() }
            #expect(error?.message.contains(service.name) == true && error?.message.contains(second.name) == true)
            let named = try await lab.container(labels: ["app": "x"], name: node)
            let target = try await enriched()
            #expect(target.attributes[.containerID] == named.id)
            #expect(target.attributes[.containerName] == node)
            #expect(target.labels["app"] == "x")
        }
    }

    @Test func theStateProbeReportsWhatHappensToAContainer() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let parameters = [("names", container.name), ("every", "20ms")]
            let probe = try read(parameters, DockerStateProbe.parameters) { DockerStateProbe(name: "p", from: &$0) }
            #expect(await probe.preflight(in: lab.context) == [])
            let context = ProbeContext(system: lab.context) { (_, _, _) throws(FaultError) in
                throw FaultError(.unexpected, "this probe changes nothing")
            } closeJournal: { _ in
            }
            let session = try await probe.start(in: context)
            func states() -> [String] {
                lab.recorded.compactMap { if case .state(let sample) = $0 { sample.state.text } else { nil } }
            }
            func notes() -> [String] {
                lab.recorded.compactMap { if case .note(let note) = $0 { note.message } else { nil } }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await session.run() }
                func wait(for state: String) async throws {
                    while states().last != state { try await lab.context.time.sleep(for: .milliseconds(5)) }
                }
                try await wait(for: "running")
                try await lab.engine.pause(container.id)
                try await wait(for: "paused")
                try await lab.engine.unpause(container.id)
                try await wait(for: "running")
                try await lab.engine.kill(container.id, signal: .kill)
                try await wait(for: "exited")
                try await lab.engine.remove(container.id)
                try await wait(for: "unreachable")
                while !notes().contains("\(container.name): destroy") {
                    try await lab.context.time.sleep(for: .milliseconds(5))
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(notes().contains("\(container.name): die (exitCode 137)"))
            func values(_ metric: Label) -> [Double] {
                lab.recorded.compactMap { event in
                    if case .measurement(let value) = event, value.metric == metric { value.value } else { nil }
                }
            }
            #expect(values("exit-code").contains(137))
            for metric: Label in ["down", "unhealthy"] {
                #expect(values(metric).first == 0 && values(metric).last == 1)
            }
        }
    }
}
