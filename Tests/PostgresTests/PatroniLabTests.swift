import Basics
import Contracts
import Experiment
import Foundation
import HTTP
import PostgresSupport
import Testing

@testable import Postgres

/// Changes of leader on the lab's real Patroni cluster (`scripts/lab/up --stack postgres`).
///
/// They disturb whatever else uses the lab, so they run only when SQUALL_LAB=1 says that the lab is theirs.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["SQUALL_LAB"] == "1"))
struct PatroniLabTests {
    @Test func aSwitchoverIsProvenByTheNewLeaderAndSwitchedBack() async throws {
        let lab = try PatroniLab()
        let leader = try await lab.leader()
        let settings = PatroniSettings(candidate: nil, nodes: lab.nodes, switchBack: true, timeout: .seconds(60))
        let fault = PatroniSwitchoverFault(settings)
        let other = lab.nodes.first { $0.name != leader }
        let refused = await faultError {
            try await fault.prepare(try lab.target(other?.name ?? ""), in: lab.context)
        }
        #expect(refused?.code == .notApplicable)
        #expect(refused?.message.contains("\(leader) does") == true)
        let run = try await FaultRun(fault, lab.target(leader), in: lab.context)
        let successor = try await lab.leader()
        #expect(successor != leader)
        #expect(try await run.leftover()?.description == "\(successor) leads instead of \(leader)")
        try await run.heal()
        #expect(try await lab.leader() == leader)
        try await lab.settle()
    }

    @Test func aFailoverGoesToTheCandidate() async throws {
        let lab = try PatroniLab()
        let leader = try await lab.leader()
        let candidate = try #require(lab.nodes.map(\.name).first { $0 != leader })
        let settings = PatroniSettings(
            candidate: candidate, nodes: lab.nodes, switchBack: false, timeout: .seconds(60))
        let run = try await FaultRun(PatroniFailoverFault(settings), lab.target(candidate), in: lab.context)
        #expect(try await lab.leader() == candidate)
        try await run.heal()
        #expect(try await lab.leader() == candidate)
        try await lab.settle()
        let own = PatroniSettings(candidate: candidate, nodes: lab.nodes, switchBack: false, timeout: .seconds(60))
        let refused = await faultError {
            try await PatroniFailoverFault(own).prepare(try lab.target(candidate), in: lab.context)
        }
        #expect(refused?.code == .notApplicable)
    }

    @Test func aPauseIsReadBackAndTakenAway() async throws {
        let lab = try PatroniLab()
        let fault = PatroniPauseFault(nodes: lab.nodes)
        let run = try await FaultRun(fault, lab.target("pg-1"), in: lab.context)
        #expect(try await run.leftover()?.description == "the Patroni cluster is paused")
        let again = await faultError { try await fault.prepare(try lab.target("pg-1"), in: lab.context) }
        #expect(again?.code == .foreignState)
        try await run.heal()
    }

    @Test func aMemberThatDoesNotAnswerIsPassedOver() async throws {
        let lab = try PatroniLab()
        let api = try PatroniAPI(["http://127.0.0.1:1/", "http://127.0.0.1:8001"], in: lab.context)
        #expect(try await api.cluster().count == 3)
        let none = await faultError { try await PatroniAPI(["http://127.0.0.1:1"], in: lab.context).cluster() }
        #expect(none?.code == .unreachable)
        #expect(none?.advice == "curl -s http://127.0.0.1:1/cluster")
    }

    @Test func theLabsNodesHaveNamesOnEveryPath() async throws {
        let lab = try PatroniLab()
        let recorder = Recorder()
        let context = lab.context(recorder)
        let settings = LedgerSettings(
            dsn: DSN("host=127.0.0.1 port=5000 user=postgres dbname=app"), rate: Rate(perSecond: 100),
            timeout: .seconds(1), direct: lab.nodes)
        let ledger = LedgerProbe(name: "orders", settings)
        let session = try await ledger.start(
            in: ProbeContext(
                system: context,
                journal: { (kind, target, undo) throws(FaultError) in recorder.journal(kind, target, undo) },
                closeJournal: { (id) throws(FaultError) in recorder.closeJournal(id) }))
        let leader = try await lab.leader()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            let deadline = context.time.now + .seconds(15)
            while recorder.operations.count < 300, context.time.now < deadline {
                try? await context.time.sleep(for: .milliseconds(50))
            }
            group.cancelAll()
        }
        await session.collect()
        try await session.close()
        let operations = recorder.operations
        #expect(operations.filter { $0.outcome == .ok }.allSatisfy { $0.node.text == leader })
        #expect(operations.filter { $0.outcome != .ok }.allSatisfy { $0.reason == "25006" && $0.outcome == .failed })
        #expect(Set(operations.map(\.path.text)) == ["kept", "fresh", "direct:pg-1", "direct:pg-2", "direct:pg-3"])
        let readBacks = recorder.history.readBacks
        #expect(readBacks.filter(\.isAuthoritative).map(\.node.text) == [leader])
        let final = Set(try #require(readBacks.first { $0.isAuthoritative }).present.flatMap { Array($0) })
        #expect(Set(operations.filter { $0.outcome == .ok }.map(\.sequence)).subtracting(final).isEmpty)
    }
}

/// The lab's addresses, and what its Patroni says.
struct PatroniLab {
    let nodes: [NamedValue<NodeAddress>]
    let context: SystemContext
    private let api: PatroniAPI
    private let services: Services

    init() throws {
        nodes = (1...3).map { number in
            NamedValue(
                name: "pg-\(number)",
                value: NodeAddress(
                    dsn: DSN("host=127.0.0.1 port=500\(number) user=postgres dbname=app"),
                    patroniURL: "http://127.0.0.1:800\(number)"))
        }
        var services = Services()
        try PostgresKinds.register(in: &services)
        services.register(try HTTPClient())
        self.services = services
        context = SystemContext(
            time: SystemTimeSource(), services: services, secrets: .empty, run: "lab-test", record: { _ in })
        api = try PatroniAPI(nodes.compactMap(\.value.patroniURL), in: context)
    }

    func context(_ recorder: Recorder) -> SystemContext {
        SystemContext(
            time: SystemTimeSource(), services: services, secrets: .empty, run: "lab-test",
            record: { recorder.add($0) })
    }

    func leader() async throws -> String {
        try #require(try await api.cluster().first(where: \.isLeader)).name
    }

    func target(_ node: String) throws -> Target {
        try #require(nodes.first { $0.name == node }).value.target(named: Label(node))
    }

    /// Three running members without lag: the next test starts from a healthy cluster.
    func settle() async throws {
        let deadline = context.time.now + .seconds(60)
        while context.time.now < deadline {
            let members = try await api.cluster()
            let healthy = members.filter { $0.isRunning && ($0.isLeader || $0.lag == 0) }
            if healthy.count == 3 && members.contains(where: \.isLeader) { return }
            try await context.time.sleep(for: .milliseconds(250))
        }
        Issue.record("the lab did not settle within 60 s")
    }
}
