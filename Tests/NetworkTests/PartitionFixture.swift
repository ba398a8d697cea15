import Basics
import Contracts
import Docker
import Experiment
import FoundationEssentials
import Glibc
import HTTP
import Process
import Synchronization
import TestSupport
import Testing

@testable import Network

/// Containers of the lab's image on a network of their own; both are removed at the end.
final class PartitionFixture: Sendable {
    let engine: DockerClient
    let context: SystemContext
    let kernel: LocalNetworkKernel
    private let token = String(UInt32.random(in: 0 ..< .max), radix: 36)
    private let names = Mutex<[String]>([])
    /// What was recorded in the history.
    let events = Events()

    /// Events in the order in which they came.
    final class Events: Sendable {
        private let all = Mutex<[HistoryEvent]>([])

        func add(_ event: HistoryEvent) { all.withLock { $0.append(event) } }

        var notes: [Note] {
            all.withLock { $0 }.compactMap { event in
                if case .note(let note) = event { note } else { nil }
            }
        }
    }

    init() throws {
        engine = try DockerClient(try DockerEndpoint.resolve(environment: ProcessInfo.processInfo.environment))
        let host = try LocalHost()
        kernel = try LocalNetworkKernel(host: host)
        var services = Services()
        services.register(engine, as: (any ContainerEngine).self)
        services.register(LocalControlGroups(), as: (any ControlGroups).self)
        services.register(host, as: (any Host).self)
        services.register(kernel, as: (any NetworkKernel).self)
        context = SystemContext(
            time: SystemTimeSource(), services: services, secrets: .empty, run: "test",
            record: { [events] in events.add($0) })
        try ChildProcess.run(["docker", "network", "create", "--label", "squall.test=net", network])
    }

    var network: String { "squall-test-\(token)" }

    /// What another process sees: the same machine, and none of our sockets.
    func elsewhere() throws -> SystemContext {
        var other = context
        let host = try LocalHost()
        other.services.register(try LocalNetworkKernel(host: host), as: (any NetworkKernel).self)
        return other
    }

    func container(network mode: String? = nil) async throws -> Target {
        let name = "squall-test-\(token)-\(names.withLock(\.count) + 1)"
        names.withLock { $0.append(name) }
        let body: [String: JSONValue] = [
            "Image": .string("squall-lab:latest"), "Cmd": .array(["sleep", "600"].map(JSONValue.string)),
            "Labels": .object(["squall.test": .string("net")]),
            "HostConfig": .object(["NetworkMode": .string(mode ?? network)]),
        ]
        let id = try await engine.create(name, from: .object(body))
        try await engine.start(id)
        return Target(id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name])
    }

    /// Runs `body` with the follower beside it, as a run has it.
    func following(_ body: () async throws -> Void) async throws {
        let follower = try #require(TargetFollower(in: context))
        let running = Task { await follower.run() }
        defer { running.cancel() }
        try await body()
    }

    /// Waits for a note that contains the text.
    func note(_ text: String) async throws -> Note {
        let deadline = context.time.now + .seconds(15)
        while true {
            if let note = events.notes.first(where: { $0.message.contains(text) }) { return note }
            try #require(context.time.now < deadline, "no note of '\(text)': \(events.notes.map(\.message))")
            try await context.time.sleep(for: .milliseconds(5))
        }
    }

    func remove() async throws {
        for name in names.withLock({ $0 }) {
            do throws(FaultError) {
                try await engine.remove(name)
            } catch {
                if error.code != .notFound { throw error }
            }
        }
        try ChildProcess.run(["docker", "network", "rm", network])
    }
}

/// Runs `body` with containers to come, and removes them whatever happens.
func withContainers(_ body: (PartitionFixture) async throws -> Void) async throws {
    let fixture = try PartitionFixture()
    do {
        try await body(fixture)
    } catch {
        try await fixture.remove()
        throw error
    }
    try await fixture.remove()
}

/// The fault as a file would declare it.
func partition(_ parameters: [(String, Node)] = []) throws -> NetworkPartitionFault {
    let place = Location(file: "test", line: 1, column: 1)
    let entries = parameters.map { Node.Entry($0.0, at: place, $0.1) }
    var diagnostics = Diagnostics()
    let fault = ParameterReader.read(
        .mapping(.init(entries, at: place)), NetworkPartitionFault.parameters, into: &diagnostics
    ) { NetworkPartitionFault(from: &$0) }
    return try #require(fault, "\(diagnostics.all.map(\.message))")
}

func word(_ text: String) -> Node { .scalar(.init(text, at: Location(file: "test", line: 1, column: 1))) }

func words(_ texts: String...) -> Node {
    .sequence(texts.map(word), Location(file: "test", line: 1, column: 1))
}
