import AWS
import Basics
import Contracts
import Controller
import Docker
import Experiment
import Network
import Postgres
import Process
import Redis
import TestSupport
import Testing

/// One step of one fault's own example, on one kind of target.
///
/// The list is made from the registry: a new fault is in it without a new test.
struct Contract: Sendable, CustomTestStringConvertible {
    /// What a fault needs to be tried out on.
    enum Place: String, Sendable {
        case container
        case host
        case postgres
        case patroni
        case redis
        case sentinel
        case cluster
        case network
        case cloud
    }

    var kind: String
    /// Which step of the example.
    var step: Int
    var place: Place

    var testDescription: String { "\(kind) \(step + 1) (\(place.rawValue))" }
    /// Needs an engine or the lab.
    var isLab: Bool { place == .container || place == .patroni || place == .network }

    /// Every fault that the tool knows; checkers and web probes bring none.
    static let registry: Registry = {
        var registry = DockerKinds.registry
        registry.add(ProcessKinds.registry)
        registry.add(PostgresKinds.registry)
        registry.add(RedisKinds.registry)
        registry.add(NetworkKinds.registry)
        registry.add(AWSKinds.registry)
        return registry
    }()

    /// Those that this machine's kernel can do; the others are refused, which is a contract of its own.
    static let all = declared.filter { hasNetem || !$0.needsNetem }
    static let refused = declared.filter { !hasNetem && $0.needsNetem }

    private static let declared: [Contract] = registry.faults.flatMap { type in
        let count = (try? Example(type).steps.count) ?? 0
        return places(of: type).flatMap { place in
            (0..<count).map { Contract(kind: type.kind, step: $0, place: place) }
        }
    }

    private static let hasNetem: Bool = {
        let attempt = ["unshare", "--net", "tc", "qdisc", "add", "dev", "lo", "root", "netem"]
        return (try? ChildProcess.run(attempt)) != nil
    }()

    private var needsNetem: Bool {
        let named = try? fault()
        return (named?.fault as? any ShapingFault)?.impairment.needsNetem ?? false
    }

    /// Where a fault can be tried out; empty: nobody has said how yet.
    static func places(of type: any Fault.Type) -> [Place] {
        if AWSKinds.registry.fault(type.kind) != nil { return [.cloud] }
        if type.kind.hasPrefix("network.") { return [.network] }
        if type.targeting == .none || type.requires == [.localHost] { return [.host] }
        let onHost: [Place] = type.targeting == .optional ? [.host] : []
        let needs = type.requires.subtracting([.node, .containerName])
        if needs.contains(.patroniURL) { return needs.isSubset(of: [.patroniURL, .postgresDSN]) ? [.patroni] : [] }
        if needs == [.redisURL] {
            switch type.kind {
            case SentinelFailoverFault.kind: return [.sentinel]
            case ClusterFailoverFault.kind: return [.cluster]
            default: return [.redis]
            }
        }
        if needs == [.postgresDSN] { return onHost + [.postgres] }
        if needs == [.containerID] { return onHost + [.container] }
        return []
    }

    /// The fault with its step as the example writes it, after the replacements that its fixture needs.
    func fault(replacing replacements: [String: String] = [:]) throws -> RunAssembly.NamedFault {
        guard let type = Contract.registry.fault(kind) else { throw Example.Unreadable(kind: kind, why: "unknown") }
        return try Example(type, replacing: replacements).steps[step]
    }

    /// A fixture of its own for this contract, removed again whatever happens in `body`.
    func with(_ body: (any ContractFixture) async throws -> Void) async throws {
        let fixture: any ContractFixture =
            switch place {
            case .container: try await ContainerFixture(self)
            case .host: try await HostFixture(self)
            case .postgres: try await PostgresFixture(self)
            case .patroni: try await PatroniFixture(self)
            case .redis: try await RedisFixture(self)
            case .sentinel: try await SentinelFixture(self)
            case .cluster: try await ClusterFixture(self)
            case .network: try await NetworkFixture(self)
            case .cloud: try await CloudFixture(self)
            }
        do {
            try await body(fixture)
        } catch {
            try await fixture.remove()
            throw error
        }
        try await fixture.remove()
    }
}

/// The steps that a fault's manual shows, read as a file would be.
struct Example {
    struct Unreadable: Error {
        var kind: String
        var why: String
    }

    let steps: [RunAssembly.NamedFault]
    /// The name that a `process` parameter gives, when the fault has one.
    let processName: String?

    init(_ type: any Fault.Type, replacing replacements: [String: String] = [:]) throws {
        var text = type.manual.example
        processName = text.firstMatch(of: /process: ([A-Za-z-]+)/).map { String($0.output.1) }
        for (old, new) in replacements { text = text.replacing(old, with: new) }
        let declares = text.hasPrefix("targets:")
        let names = declares ? [] : Set(text.matches(of: /target: ([a-z-]+)/).map { String($0.output.1) })
        let targets = names.sorted().map { "  \($0): {docker: {names: [\($0)]}}" }.joined(separator: "\n")
        if !declares, !text.hasPrefix("method:") {
            text = "method:\n" + text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        }
        let file = "title: t\n" + (targets.isEmpty ? "" : "targets:\n\(targets)\n") + text + "\n"
        let loader = ExperimentLoader(
            catalog: Contract.registry.catalog, environment: [:], files: .memory(["example.yaml": file]),
            currentFolder: "/")
        let result = loader.load("example.yaml")
        guard let experiment = result.experiment else {
            throw Unreadable(kind: type.kind, why: "\(result.diagnostics.all.map(\.message)) in \(file)")
        }
        steps = try RunAssembly(experiment, registry: Contract.registry).faults
    }
}
