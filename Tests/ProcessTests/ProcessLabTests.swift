import Basics
import Contracts
import HTTP
import Process
import Testing

/// Against the lab's real cluster: `scripts/lab/up`, then SQUALL_LAB=1. Without the lab there is no Patroni to freeze.
@Suite(.enabled(if: hasLab, "set SQUALL_LAB=1 with the lab up (scripts/lab/up)"), .serialized)
struct ProcessLabTests {
    private let fixture: Fixture
    private let client: HTTPClient
    private let time = SystemTimeSource()

    init() throws {
        fixture = try Fixture()
        client = try HTTPClient(name: "lab-tests")
    }

    /// The leader's container as a target, and its Patroni's address.
    private func leader() async throws -> (target: Target, patroni: String) {
        for node in 1...3 {
            let address = "http://127.0.0.1:\(8_000 + node)"
            guard let status = try? await status(address + "/primary"), status == 200 else { continue }
            let name = "squall-pg-\(node)"
            let id = try await docker("inspect", "--format", "{{.Id}}", name).output.text.filter(\.isHexDigit)
            let attributes: [Target.Attribute: String] = [.containerID: id, .containerName: name]
            return (Target(id: "container:\(id)", name: name, attributes: attributes), address)
        }
        throw FaultError(.notFound, "no node of the lab is primary", advice: "run scripts/lab/status")
    }

    private func status(_ url: String) async throws -> Int {
        try await client.send(HTTPRequest(.get, url, deadline: time.now + .milliseconds(700), connection: .fresh))
            .status
    }

    private func docker(_ arguments: String...) async throws -> CommandResult {
        let runner = try fixture.context.services.require((any CommandRunner).self)
        return try await runner.run(Command(["docker"] + arguments), until: .soon())
    }

    @Test func aFrozenPatroniIsSilentWhilePostgresAnswersAndItsHealIsComplete() async throws {
        let (target, patroni) = try await leader()
        let context = fixture.context
        let fault = try makeFault(
            ProcessSignalFault.self, ["process": "patroni", "signal": "SIGSTOP", "expect": "1"])
        let undo = try await fault.prepare(target, in: context)
        // Patroni's lease is 20 s: a freeze of about a second leads to no failover.
        let effect = try await fault.inject(undo, in: context)
        let states = try fixture.host.threadStates(of: undo.processes[0].identity)
        let silence = await #expect(throws: HTTPError.self) { try await status(patroni + "/primary") }
        let answer = try await docker(
            "exec", target.name, "psql", "-U", "postgres", "-h", "127.0.0.1", "-Atc", "select 41 + 1")
        let leftover = try await ProcessSignalFault.leftover(of: undo, in: context)
        try await ProcessSignalFault.heal(undo, in: context)

        guard case .confirmed(let range, _) = effect else {
            Issue.record("the freeze was not confirmed: \(effect)")
            return
        }
        #expect(range.width < .seconds(2))
        #expect(!states.isEmpty && states.allSatisfy { $0 == "T" })
        #expect(silence?.code == .timeout)
        #expect(answer.output.text == "42\n", "\(answer.errors.text)")
        #expect(leftover?.commands == ["kill -CONT \(undo.processes[0].identity.pid)"])
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        #expect(try await eventually { try !fixture.host.threadStates(of: undo.processes[0].identity).contains("T") })
        let deadline = time.now + .seconds(20)
        var healed = 0
        while healed != 200, time.now < deadline { healed = (try? await status(patroni + "/primary")) ?? 0 }
        #expect(healed == 200)
        await client.close()
    }

    @Test func namesInAContainerAreOnlyThatContainersOwn() async throws {
        let (target, _) = try await leader()
        let id = try #require(target.attributes[.containerID])
        let all = try fixture.host.processes().filter { $0.name == "patroni" }
        let found = try fixture.host.processes(named: ProcessName("patroni"), inContainer: id)
        #expect(found.count == 1)
        #expect(all.count >= 3)
        // Without a container the search leaves out every container.
        #expect(try fixture.host.processes(named: ProcessName("patroni"), inContainer: nil).isEmpty)
        await client.close()
    }
}

private var hasLab: Bool { SystemEnvironment.value("SQUALL_LAB") == "1" }
