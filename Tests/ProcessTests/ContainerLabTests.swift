import Basics
import Contracts
import Docker
import Glibc
import Process
import Testing

/// Inside a real container of the lab's image, made and removed by each test.
@Suite(.enabled(if: hasLabImage, "set SQUALL_LAB=1 with the lab's image built (scripts/lab/up)"), .serialized)
struct ContainerLabTests {
    private let fixture: Fixture
    private let context: SystemContext
    private let engine: any ContainerEngine

    init() throws {
        fixture = try Fixture()
        var context = fixture.context
        let socket = ["DOCKER_HOST", "HOME"].reduce(into: [String: String]()) { $0[$1] = SystemEnvironment.value($1) }
        try DockerKinds.register(in: &context.services, environment: socket)
        engine = try context.services.require((any ContainerEngine).self)
        self.context = context
    }

    /// Runs `body` with a container in which a shell and two sleepers live; removes it even when the test throws.
    private func withContainer(_ body: (Target) async throws -> Void) async throws {
        let name = "squall-test-process-\(getpid())"
        let document: JSONValue = .object([
            "Image": .string("squall-lab:latest"), "Entrypoint": .array([.string("/bin/sh")]),
            "Cmd": .array([.string("-c"), .string("sleep 600 & sleep 600 & wait")]),
            "HostConfig": .object(["Init": .boolean(true)]),
        ])
        let id = try await engine.create(name, from: document)
        do {
            try await engine.start(id)
            try await body(
                Target(id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name]))
        } catch {
            try await engine.remove(id)
            throw error
        }
        // A test may have removed it itself.
        if (try? await engine.inspect(id)) != nil { try await engine.remove(id) }
    }

    private func commandFault() throws -> CommandRunFault {
        try makeFault(
            CommandRunFault.self,
            [
                "inject": ["touch", "/tmp/mark"], "confirm": ["test", "-e", "/tmp/mark"],
                "undo": ["rm", "-f", "/tmp/mark"], "check-clean": ["test", "!", "-e", "/tmp/mark"],
            ])
    }

    @Test func aCommandRunsAndIsUndoneInsideTheContainer() async throws {
        try await withContainer { target in
            let fault = try commandFault()
            let undo = try roundTrip(try await fault.prepare(target, in: context))
            guard case .confirmed = try await fault.inject(undo, in: context) else {
                Issue.record("the effect was not confirmed")
                return
            }
            let leftover = try #require(try await CommandRunFault.leftover(of: undo, in: context))
            let id = try #require(target.attributes[.containerID])
            #expect(leftover.commands == ["docker exec \(id) rm -f /tmp/mark"])
            #expect(access("/tmp/mark", F_OK) != 0)
            try await CommandRunFault.heal(undo, in: context)
            #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
        }
    }

    @Test func aContainerThatIsGoneCountsAsHealed() async throws {
        try await withContainer { target in
            let fault = try commandFault()
            let undo = try await fault.prepare(target, in: context)
            _ = try await fault.inject(undo, in: context)
            let freeze = try makeFault(ProcessSignalFault.self, ["process": "sleep", "signal": "STOP"])
            let frozen = try await freeze.prepare(target, in: context)
            _ = try await freeze.inject(frozen, in: context)
            try await engine.remove(target.name)
            try await CommandRunFault.heal(undo, in: context)
            #expect(try await CommandRunFault.leftover(of: undo, in: context) == nil)
            try await ProcessSignalFault.heal(frozen, in: context)
            #expect(try await ProcessSignalFault.leftover(of: frozen, in: context) == nil)
            let error = await #expect(throws: FaultError.self) { try await fault.prepare(target, in: context) }
            #expect(error?.code == .notFound)
        }
    }

    @Test func anUndoWhoseProgramIsMissingIsNoHeal() async throws {
        try await withContainer { target in
            let fault = try makeFault(
                CommandRunFault.self,
                ["inject": ["true"], "undo": ["squall-no-such-program"], "effect": "exit-code"])
            let undo = try await fault.prepare(target, in: context)
            _ = try await fault.inject(undo, in: context)
            await #expect(throws: FaultError.self) { try await CommandRunFault.heal(undo, in: context) }
            #expect(try await CommandRunFault.leftover(of: undo, in: context) != nil)
        }
    }

    @Test func signalsReachOnlyTheProcessesOfTheContainer() async throws {
        let outside = try Child(["/bin/sleep", "60"])
        try await withContainer { target in
            let fault = try makeFault(
                ProcessSignalFault.self, ["process": "sleep", "signal": "SIGSTOP", "expect": "2"])
            #expect(try await eventually { try processes(target).count == 2 })
            let undo = try await fault.prepare(target, in: context)
            guard case .confirmed = try await fault.inject(undo, in: context) else {
                Issue.record("the freeze was not confirmed")
                return
            }
            let listing = try await engine.top(target.name)
            #expect(listing.processes.count >= 3)
            #expect(try fixture.host.process(outside.pid).state() == "S")
            try await ProcessSignalFault.heal(undo, in: context)
            #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)

            let kill = try makeFault(ProcessSignalFault.self, ["process": "sleep", "signal": "SIGKILL"])
            let effect = try await kill.inject(try await kill.prepare(target, in: context), in: context)
            guard case .confirmed(let range, _) = effect else {
                Issue.record("the kill was not confirmed: \(effect)")
                return
            }
            #expect(range.width < .seconds(10))
            #expect(try processes(target).isEmpty)
            #expect(try fixture.host.process(outside.pid).state() == "S")
        }
    }

    private func processes(_ target: Target) throws -> [ProcessEntry] {
        try fixture.host.processes(named: ProcessName("sleep"), inContainer: target.attributes[.containerID])
    }

    @Test(
        arguments: [
            (["command": ["true"]], .ok, ""), (["command": ["sh", "-c", "exit 3"]], .failed, "exit-3"),
            (["command": ["cat", "/etc/debian_version"], "output": "12"], .ok, ""),
            (["command": ["sleep", "60"], "timeout": "500ms"], .unknown, "timeout"),
            (["command": ["printenv", "TOKEN"], "environment": ["TOKEN": "x"], "output": ["equals": "x"]], .ok, ""),
        ] as [(Value, Outcome, String)])
    func checksRunInsideTheContainer(parameters: Value, outcome: Outcome, reason: String) async throws {
        guard case .map(let members) = parameters else { return }
        try await withContainer { target in
            let limit: [(String, Value)] = members.contains { $0.0 == "timeout" } ? [] : [("timeout", "20s")]
            let probe = try makeProbe(
                CommandCheckProbe.self, .map([("container", .text(target.name))] + members + limit))
            let session = try await probe.start(
                in: ProbeContext(system: context) { (_, _, _) throws(FaultError) in
                    throw FaultError(.unexpected, "this probe changes nothing")
                } closeJournal: { _ in
                })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await session.run() }
                _ = try await eventually { !fixture.operations.isEmpty }
                group.cancelAll()
            }
            let operation = try #require(fixture.operations.first)
            #expect(operation.outcome == outcome)
            #expect(operation.reason.text == reason)
        }
    }

    @Test func aContainerThatIsNotThereFailsPreflight() async throws {
        let probe = try makeProbe(
            CommandCheckProbe.self, ["command": ["true"], "container": "squall-no-such-container"])
        let findings = await probe.preflight(in: context)
        #expect(findings.count == 1)
        #expect(findings.first?.message.contains("squall-no-such-container") == true)
    }
}

private var hasLabImage: Bool { SystemEnvironment.value("SQUALL_LAB") == "1" }
