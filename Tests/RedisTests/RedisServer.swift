import Basics
import Contracts
import Experiment
import Glibc
import Redis
import Synchronization
import TestSupport
import Testing

/// A real Redis of its own on loopback: made for one test, killed when the test lets go of it.
final class RedisServer: Sendable {
    let port: UInt16
    let process: ChildProcess
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - settings: lines of redis.conf.
    ///   - port: of one that was there before.
    ///   - role: `server` or `sentinel`.
    init(
        _ settings: [String] = [], folder: TemporaryFolder? = nil, port: UInt16? = nil, role: String = "server"
    ) async throws {
        self.folder = try folder ?? TemporaryFolder()
        self.port = try port ?? freeLoopbackPort()
        let isTLS = settings.contains { $0.hasPrefix("tls-cert-file") }
        let lines =
            [
                isTLS ? "port 0" : "port \(self.port)", isTLS ? "tls-port \(self.port)" : "", "bind 127.0.0.1",
                role == "server" ? "save \"\"" : "",
                "dir \(self.folder.path)", "logfile /dev/null",
            ] + settings
        let file = try self.folder.write(lines.joined(separator: "\n") + "\n", to: "redis.conf")
        // Debian's tools hold the server: it is one program, which looks at its name. Its own package would start a service.
        process = try ChildProcess(["bash", "-c", "exec -a redis-\(role) redis-check-rdb \"$0\"", file])
        try await eventually("the server listens") { isListening }
    }

    var url: RedisURL { RedisURL("redis://127.0.0.1:\(port)") }

    private var isListening: Bool {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
    }

    func send(_ signal: CInt) { kill(process.pid, signal) }
}

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

    /// Runs the probe until `body` has ended.
    func run(_ probe: some Probe, _ body: () async throws -> Void) async throws {
        let context = ProbeContext(system: context) { (_, _, _) throws(FaultError) in
            throw FaultError(.unexpected, "this probe changes nothing")
        } closeJournal: { _ in
        }
        let session = try await probe.start(in: context)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await session.run() }
            try await body()
            group.cancelAll()
        }
        try await session.close()
    }

    var values: [Double] {
        events.list.withLock { $0 }.compactMap {
            if case .measurement(let measurement) = $0 { measurement.value } else { nil }
        }
    }
}
