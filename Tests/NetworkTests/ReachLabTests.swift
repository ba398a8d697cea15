import Basics
import Contracts
import Docker
import Experiment
import Glibc
import Process
import Synchronization
import TestSupport
import Testing

@testable import Network

/// The probes and network.kill-connections on real containers.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and root: SQUALL_LAB=1"))
struct ReachLabTests {
    private static let place = Location(file: "test", line: 1, column: 1)

    private final class Record: Sendable {
        let events = Mutex<[HistoryEvent]>([])

        var history: History { events.withLock { History($0) } }

        func newest(_ metric: Label, node: Label = .none) -> Double? {
            history.measurements.last { $0.metric == metric && $0.node == node }?.value
        }
    }

    private func mapping(_ entries: [(String, Node)]) -> Node {
        .mapping(.init(entries.map { .init($0.0, at: Self.place, $0.1) }, at: Self.place))
    }

    private func groups(_ a: Target, _ b: Target) -> Node {
        mapping([("a", mapping([("names", words(a.name))])), ("b", mapping([("names", words(b.name))]))])
    }

    private func read<Value>(
        _ parameters: [any AnyParameter], _ entries: [(String, Node)], _ build: (inout ParameterReader) -> Value
    ) throws -> Value {
        var diagnostics = Diagnostics()
        let value = ParameterReader.read(mapping(entries), parameters, into: &diagnostics, build: build)
        return try #require(value, "\(diagnostics.all.map(\.message))")
    }

    /// Runs a probe while `body` does things, and hands over what it has recorded so far.
    private func run(
        _ probe: some Probe, _ fixture: PartitionFixture, _ body: (Record) async throws -> Void
    ) async throws {
        let record = Record()
        var context = fixture.context
        context.record = { event in record.events.withLock { $0.append(event) } }
        #expect(await probe.preflight(in: context).filter { $0.severity == .error } == [])
        let session = try await probe.start(
            in: ProbeContext(
                system: context, journal: { _, _, _ in MutationID("none") }, closeJournal: { _ in }))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            try await body(record)
            group.cancelAll()
        }
        try await session.close()
    }

    private func first(_ what: Comment, within limit: Span = .seconds(20), _ holds: () -> Bool) async throws {
        let time = SystemTimeSource()
        let deadline = time.now + limit
        while time.now < deadline {
            if holds() { return }
            try await time.sleep(for: .milliseconds(20))
        }
        Issue.record(what)
    }

    @Test(arguments: ["udp", "tcp"])
    func theMatrixFollowsAPartitionAndAContainerThatEndsAndComesBack(method: String) async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let probe = try read(
                ReachProbe.parameters,
                [
                    ("groups", groups(a, b)), ("every", word("50ms")), ("timeout", word("200ms")),
                    ("method", word(method)),
                ]
            ) { ReachProbe(name: "reach", from: &$0) }
            try await run(probe, fixture) { record in
                try await first("both ways are open") { record.newest("reachable") == 2 }
                #expect(record.newest("share") == 1)
                let cut = try partition()
                let undo = try await cut.prepare(
                    .between([TargetSide(role: "a", members: [a]), TargetSide(role: "b", members: [b])]),
                    in: fixture.context)
                _ = try await cut.inject(undo, in: fixture.context)
                try await first("both ways are blocked") { record.newest("blocked") == 2 }
                try await NetworkPartitionFault.heal(undo, in: fixture.context)
                try await first("both ways are open again") { record.newest("blocked") == 0 }
                try await fixture.engine.kill(b.name, signal: .kill)
                try await first("a killed container blocks its pairs") { record.newest("blocked") == 2 }
                let reasons = Set(record.history.operations.suffix(4).map(\.reason.text))
                #expect(reasons.isSubset(of: ["absent", "timeout"]), "\(reasons)")
                try await fixture.engine.start(b.name)
                try await first("it is found again") { record.newest("blocked") == 0 }
                let paths = Set(record.history.operations.map(\.path.text))
                #expect(paths == ["\(a.name) > \(b.name)", "\(b.name) > \(a.name)"])
                let sequences = record.history.operations.map(\.sequence)
                #expect(Set(sequences).count == sequences.count)
            }
        }
    }

    @Test func roundTripsAreMeasuredPerPair() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let probe = try read(
                RoundTripProbe.parameters, [("groups", groups(a, b)), ("every", word("20ms")), ("window", word("2s"))]
            ) { RoundTripProbe(name: "wan", from: &$0) }
            try await run(probe, fixture) { record in
                let pair = Label("\(a.name) > \(b.name)")
                try await first("a percentile is there") { record.newest("rtt-p95", node: pair) != nil }
                try await first("there are forty round trips") {
                    record.history.measurements.count { $0.metric == "rtt" && $0.node == pair } >= 40
                }
                let median = try #require(record.newest("rtt-p50", node: pair))
                // A bridge of this machine: microseconds; a busy machine must not show.
                #expect(median > 0 && median < 0.005, "\(median)")
                #expect(record.newest("loss", node: pair) == 0)
            }
        }
    }

    @Test func connectionsAreMadeFromInsideAContainerAndFollowItsPeer() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let probe = try read(
                TCPConnectProbe.parameters,
                [("from", word(a.name)), ("to", word(b.name)), ("port", word("7")), ("rate", word("20/s"))]
            ) { TCPConnectProbe(name: "echo", from: &$0) }
            try await run(probe, fixture) { record in
                try await first("nobody listens") { record.history.operations.contains { $0.reason == "refused" } }
                let member = try await NamespaceMember(b, for: "test", in: fixture.context)
                let listener = try ProbeSocket(
                    SOCK_STREAM, .version4, in: try NetworkNamespace(ofProcess: member.process.pid))
                let address = SocketAddress([0, 0, 0, 0], .version4, port: 7)
                try #require(address.with { Glibc.bind(listener.descriptor.number, $0, $1) } == 0)
                listen(listener.descriptor.number, 512)
                try await first("it is connected") { record.history.operations.last?.outcome == .ok }
                #expect(record.history.operations.last?.path == Label("\(a.name) > \(b.name)"))
                try await fixture.engine.kill(a.name, signal: .kill)
                try await first("its own container is gone") { record.history.operations.last?.reason == "absent" }
            }
        }
    }

    // MARK: Connections that are ended

    @Test func connectionsOfAContainerAreEndedCountedAndNotMissed() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let (from, to) = (
                try await NamespaceMember(a, for: "test", in: fixture.context),
                try await NamespaceMember(b, for: "test", in: fixture.context)
            )
            let fault = try read(KillConnectionsFault.parameters, [("ports", words("7"))]) {
                KillConnectionsFault(from: &$0)
            }
            let undo = try await fault.prepare(b, in: fixture.context)
            guard case .unproven(let reason) = try await fault.inject(undo, in: fixture.context) else {
                Issue.record("there is no connection")
                return
            }
            #expect(reason == "\(b.name) had no TCP connection port 7 that could be ended")
            let listener = try ProbeSocket(SOCK_STREAM, .version4, in: try NetworkNamespace(ofProcess: to.process.pid))
            let any = SocketAddress([0, 0, 0, 0], .version4, port: 7)
            try #require(any.with { Glibc.bind(listener.descriptor.number, $0, $1) } == 0)
            listen(listener.descriptor.number, 8)
            let target = SocketAddress(try #require(to.addresses.first).first, .version4, port: 7)
            let clients = try (0..<3).map { _ in
                let socket = try ProbeSocket(
                    SOCK_STREAM, .version4, in: try NetworkNamespace(ofProcess: from.process.pid))
                _ = target.with { connect(socket.descriptor.number, $0, $1) }
                _ = readyDescriptors([socket.descriptor.number], for: POLLOUT, within: .seconds(2))
                return socket
            }
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed(let range, let evidence) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(evidence.hasPrefix("3 connections ended and gone from the kernel's list"), "\(evidence)")
            #expect(range.width < .seconds(1))
            for client in clients {
                var byte: UInt8 = 0
                _ = readyDescriptors([client.descriptor.number], for: POLLIN, within: .seconds(1))
                #expect(recv(client.descriptor.number, &byte, 1, 0) < 0 && errno == ECONNRESET)
            }
        }
    }
}
