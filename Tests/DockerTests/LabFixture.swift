import Basics
import Contracts
import Experiment
import FoundationEssentials
import Glibc
import HTTP
import Process
import Synchronization
import Testing

@testable import Docker

/// Real containers on the engine that answers here: only with SQUALL_LAB=1, because a machine without an engine, or with
/// somebody's containers on it, must be able to run the other tests.
let isLabWanted = ProcessInfo.processInfo.environment["SQUALL_LAB"] == "1"

/// The services of faults and probes over the real engine and this machine, and the containers of one test.
final class LabFixture: Sendable {
    let engine: DockerClient
    let context: SystemContext
    private let containers = Mutex<[String]>([])
    private let events: EventList
    static let label = "squall.test"

    final class EventList: Sendable {
        let list = Mutex<[HistoryEvent]>([])
    }

    /// - Parameter seesProcesses: false: as if the engine ran on another machine.
    init(seesProcesses: Bool = true) throws {
        let environment = ProcessInfo.processInfo.environment
        engine = try DockerClient(try DockerEndpoint.resolve(environment: environment))
        let events = EventList()
        var services = Services()
        services.register(engine, as: (any ContainerEngine).self)
        if seesProcesses {
            services.register(LocalControlGroups(), as: (any ControlGroups).self)
            services.register(try LocalHost(), as: (any Host).self)
        }
        context = SystemContext(time: SystemTimeSource(), services: services, secrets: .empty, run: "test") { event in
            events.list.withLock { $0.append(event) }
        }
        self.events = events
    }

    var recorded: [HistoryEvent] { events.list.withLock { $0 } }

    /// A running container of the lab's image, with this command as its init process.
    func container(
        _ command: [String] = ["sleep", "600"], labels: [String: String] = [:], volume: String? = nil,
        isRemovedOnExit: Bool = false, name: String? = nil
    ) async throws -> ContainerDetails {
        let name = name ?? "squall-test-\(UInt64.random(in: 0..<UInt64.max))"
        var body: [String: JSONValue] = [
            "Image": .string("squall-lab:latest"), "Cmd": .array(command.map(JSONValue.string)),
            "Labels": .object(labels.merging([Self.label: "1"]) { own, _ in own }.mapValues(JSONValue.string)),
            "HostConfig": .object(["AutoRemove": .boolean(isRemovedOnExit), "NetworkMode": .string("none")]),
        ]
        if let volume { body["Volumes"] = .object([volume: .object([:])]) }
        containers.withLock { $0.append(name) }
        let id = try await engine.create(name, from: .object(body))
        try await engine.start(id)
        return try await engine.inspect(id)
    }

    /// Removes what this test has made, by name, so that a successor of a removed container goes too.
    func removeAll() async throws {
        for name in containers.withLock({ $0 }) {
            do throws(FaultError) {
                let volumes = try await engine.inspect(name).document["Mounts"]?.array ?? []
                try await engine.remove(name)
                for volume in volumes.compactMap({ $0["Name"]?.string }) {
                    try await engine.call(.delete, "/volumes/\(volume)", to: "remove volume \(volume)")
                }
            } catch {
                if error.code != .notFound { throw error }
            }
        }
    }

    /// Runs `body` and cleans up whatever happened in it.
    static func with(seesProcesses: Bool = true, _ body: (LabFixture) async throws -> Void) async throws {
        let lab = try LabFixture(seesProcesses: seesProcesses)
        do {
            try await body(lab)
        } catch {
            try await lab.removeAll()
            throw error
        }
        try await lab.removeAll()
    }
}

extension ContainerDetails {
    var target: Target {
        Target(id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name], labels: labels)
    }
}

private let nowhere = Location(file: "test.yaml", line: 1, column: 1)

func mapping(_ parameters: [(String, String)]) -> Node {
    .mapping(.init(parameters.map { .init($0.0, at: nowhere, node($0.1)) }, at: nowhere))
}

/// `a=b` in braces is a mapping, anything else a scalar.
private func node(_ text: String) -> Node {
    guard text.hasPrefix("{"), text.hasSuffix("}") else { return .scalar(.init(text, at: nowhere)) }
    let parts = text.dropFirst().dropLast().split(separator: "=").map(String.init)
    return .mapping(.init([.init(parts[0], at: nowhere, .scalar(.init(parts[1], at: nowhere)))], at: nowhere))
}

struct Refused: Error {
    var messages: [String]
}

func read<Value>(
    _ parameters: [(String, String)], _ known: [any AnyParameter], _ build: (inout ParameterReader) -> Value
) throws -> Value {
    var diagnostics = Diagnostics()
    guard let value = ParameterReader.read(mapping(parameters), known, into: &diagnostics, build: build) else {
        throw Refused(messages: diagnostics.all.map(\.message))
    }
    return value
}

func make<Kind: Fault>(_ kind: Kind.Type, _ parameters: [(String, String)] = []) throws -> Kind {
    try read(parameters, kind.parameters) { Kind(from: &$0) }
}

func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
    try JSONDecoder().decode(Value.self, from: try JSONEncoder().encode(value))
}

/// The kernel's state letter of a process, straight from /proc; nil when it is gone.
func kernelState(_ pid: Int32) -> Character? {
    guard let text = contents("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    return text[end...].dropFirst(2).first
}

/// The freezer as a person would look it up: by the container's id under /sys/fs/cgroup.
func kernelFreezer(_ id: String) -> String? {
    contents("/sys/fs/cgroup/freezer/docker/\(id)/freezer.state")
        ?? contents("/sys/fs/cgroup/system.slice/docker-\(id).scope/cgroup.events")
        ?? contents("/sys/fs/cgroup/docker/\(id)/cgroup.events")
}

private func contents(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: data, as: UTF8.self)
}
