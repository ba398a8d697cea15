import Basics
import Contracts
import Redis
import RedisSupport
import Synchronization
import Testing

@testable import Experiment

/// Looks again and again until it holds.
func eventually(
    _ what: Comment, within limit: Span = .seconds(20), _ holds: () async throws -> Bool
) async throws {
    let time = SystemTimeSource()
    let deadline = time.now + limit
    while try await !holds() {
        try #require(time.now < deadline, what)
        try await time.sleep(for: .milliseconds(5))
    }
}

extension Instant {
    /// A deadline that only a broken test reaches.
    static func soon(_ span: Span = .seconds(20)) -> Instant { SystemTimeSource().now + span }
}

/// What probes get, with one client; keeps what they record.
final class RedisFixture: Sendable {
    let client: RedisClient
    let context: SystemContext
    private let events: Events

    private final class Events: Sendable {
        let list = Mutex<[HistoryEvent]>([])
    }

    init(secrets: [String: String] = [:]) throws {
        let events = Events()
        var services = Services()
        client = try RedisClient()
        services.register(client)
        let references = secrets.keys.map { NamedValue(name: $0, value: SecretReference(type: .env, key: $0)) }
        let store = SecretStore(references) { (reference) throws(FaultError) in
            guard let value = secrets[reference.key] else { throw FaultError(.notFound, "no \(reference.key)") }
            return value
        }
        context = SystemContext(time: SystemTimeSource(), services: services, secrets: store, run: "test") { event in
            events.list.withLock { $0.append(event) }
        }
        self.events = events
    }

    func connect(_ url: RedisURL, within span: Span = .seconds(20)) async throws -> RedisConnection {
        try await client.connect(url, context.secrets, until: .soon(span))
    }

    var operations: [Contracts.Operation] {
        events.list.withLock { $0 }.compactMap { if case .operation(let operation) = $0 { operation } else { nil } }
    }

    var states: [StateSample] {
        events.list.withLock { $0 }.compactMap { if case .state(let sample) = $0 { sample } else { nil } }
    }

    var notes: [String] {
        events.list.withLock { $0 }.compactMap { if case .note(let note) = $0 { note.message } else { nil } }
    }

    /// Runs the probe until `body` has ended; then, before it is closed, `afterwards` (by default the final reads).
    func run(
        _ probe: some Probe, _ body: () async throws -> Void,
        afterwards: (any ProbeSession) async throws -> Void = { await $0.collect() }
    ) async throws {
        let context = ProbeContext(system: context) { (_, _, _) throws(FaultError) in
            MutationID("1")
        } closeJournal: { _ in
        }
        let session = try await probe.start(in: context)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            try await body()
            group.cancelAll()
        }
        try await afterwards(session)
        try await session.close()
    }

    var measurements: [Measurement] {
        events.list.withLock { $0 }.compactMap {
            if case .measurement(let measurement) = $0 { measurement } else { nil }
        }
    }

    var values: [Double] { measurements.map(\.value) }

    var readBacks: [ReadBack] {
        events.list.withLock { $0 }.compactMap { if case .readBack(let readBack) = $0 { readBack } else { nil } }
    }

    /// The newest value of a metric.
    func last(_ metric: Label) -> Double? { measurements.last { $0.metric == metric }?.value }

    func ask(_ server: RedisServer, _ command: [String]) async throws -> RedisValue {
        try await client.session(server.url, in: context, until: .soon(), "asking a test's server") {
            connection throws(RedisError) in
            try await connection.call(command, until: .soon())
        }
    }

    struct Unreadable: Error {
        var problems: [String]
    }

    /// A probe as a file writes it.
    func read<Kind: Probe>(_: Kind.Type, _ parameters: [any AnyParameter], _ yaml: String) throws -> Kind {
        try read(parameters, yaml) { Kind(name: "probe", from: &$0) }
    }

    func fault<Kind: Fault>(_: Kind.Type, _ parameters: [any AnyParameter], _ yaml: String) throws -> Kind {
        try read(parameters, yaml) { Kind(from: &$0) }
    }

    private func read<Kind>(
        _ parameters: [any AnyParameter], _ yaml: String, _ build: (inout ParameterReader) -> Kind
    ) throws -> Kind {
        var diagnostics = Diagnostics()
        let node = YAMLReader.read(SourceText(file: "test.yaml", text: yaml + "\n"), into: &diagnostics)
        let kind = node.flatMap { ParameterReader.read($0, parameters, into: &diagnostics, build: build) }
        guard let kind, !diagnostics.hasErrors else { throw Unreadable(problems: diagnostics.all.map(\.message)) }
        return kind
    }
}
