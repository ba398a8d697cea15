import Basics
import Contracts
import Controller
import Docker
import Experiment
import Network
import Process
import Synchronization
import TestSupport

/// Three containers of the lab's image on a network of their own, of both versions of the Internet Protocol: the sides of
/// a fault between two, the group that one divides, or the target of one and its peers. The second and the third hold a
/// connection to the first, which the examples know as `db`.
final class NetworkFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    let provesAbsence = true
    let namesakes = 1

    private let engine: any ContainerEngine
    private let token: String
    private let names: [String]
    private let ids = Mutex<[String]>([])

    init(_ contract: Contract) async throws {
        token = freshToken()
        context = try contractContext(run: "contract-\(token)")
        engine = try context.services.require((any ContainerEngine).self)
        let named = try contract.fault()
        fault = named.fault
        names = (1...3).map { [token] in "squall-contract-\(token)-\($0)" }
        try ChildProcess.run([
            "docker", "network", "create", "--ipv6", "--subnet", Self.subnet(token), Self.network(token),
        ])
        var members: [Target] = []
        var started: [String] = []
        for name in names {
            let id = try await Self.start(name, Self.network(token), first: names[0], engine)
            started.append(id)
            members.append(
                Target(id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name]))
        }
        target = Self.target(named, members)
        ids.withLock { $0 = started }
        try await until("the second and the third have connected") { [self] in try await connections() >= 2 }
    }

    /// How many the first container has.
    private func connections() async throws -> Int {
        let kernel = try context.services.require((any NetworkKernel).self)
        let member = try await NamespaceMember(
            name: names[0], container: ids.withLock { $0[0] }, for: "test", in: context)
        return try await kernel.connections(
            ConnectionFilter(states: [.established]), of: member.process
        ).count
    }

    /// Listens where the examples expect a database; the others connect to it, again when the connection ends.
    private static let script = """
        import os, socket, threading, time
        held = []
        server = socket.create_server(("", 5432))
        threading.Thread(target=lambda: [held.append(server.accept()) for _ in iter(int, 1)], daemon=True).start()
        while True:
            try:
                if os.environ["FIRST"] == os.environ["NAME"]:
                    time.sleep(600)
                socket.create_connection((os.environ["FIRST"], 5432), 2).makefile("rb").read()
            except OSError:
                pass
            time.sleep(0.1)
        """

    private static func network(_ token: String) -> String { "squall-contract-\(token)" }

    /// A unique local prefix of its own (RFC 4193).
    private static func subnet(_ token: String) -> String {
        let number = UInt64(token, radix: 36) ?? 1
        let (high, low) = (number >> 16 & 0xffff, number & 0xffff)
        return "fd5c:\(String(high, radix: 16)):\(String(low, radix: 16))::/64"
    }

    private static func start(
        _ name: String, _ network: String, first: String, _ engine: any ContainerEngine
    ) async throws -> String {
        let alias: JSONValue = .object(["Aliases": .array(name == first ? [.string("db")] : [])])
        let body: [String: JSONValue] = [
            "Image": .string("squall-lab:latest"), "Cmd": .array(["python3", "-c", script].map(JSONValue.string)),
            "Env": .array(["FIRST=\(first)", "NAME=\(name)"].map(JSONValue.string)),
            "NetworkingConfig": .object(["EndpointsConfig": .object([network: alias])]),
            "Labels": .object(["squall.test": .string("contract")]),
            "HostConfig": .object(["NetworkMode": .string(network)]),
        ]
        let id = try await engine.create(name, from: .object(body))
        try await engine.start(id)
        return id
    }

    /// As the step has it: two sides, one group, or one container.
    private static func target(_ named: RunAssembly.NamedFault, _ members: [Target]) -> Target {
        let roles = named.step.targets.map(\.name)
        guard roles.count == 2 || type(of: named.fault).targeting.isJoint else { return members[0] }
        guard roles.count == 2 else { return .between([TargetSide(role: roles.first ?? "target", members: members)]) }
        return .between([
            TargetSide(role: roles[0], members: [members[0]]),
            TargetSide(role: roles[1], members: Array(members.dropFirst())),
        ])
    }

    // MARK: What can be seen from outside

    func state() async throws -> String {
        var parts: [String] = []
        for name in names { parts.append(try await describe(name)) }
        return parts.joined(separator: "\n")
    }

    /// Rules, queueing disciplines and routes, read with other programs than ours. Without the counters of rules: those of
    /// Docker's own for its name server go up whenever a container looks a name up.
    private func describe(_ container: String) async throws -> String {
        let details: ContainerDetails
        do throws(FaultError) {
            details = try await engine.inspect(container)
        } catch {
            if error.code == .notFound { return "gone" }
            throw error
        }
        guard details.state == .running else { return details.state.text }
        let enter = ["nsenter", "--net=/proc/\(details.pid)/ns/net"]
        let rules = try ChildProcess.run(enter + ["nft", "--stateless", "list", "ruleset"])
        let queues = try ChildProcess.run(enter + ["tc", "qdisc", "show"])
        let links = try ChildProcess.run(enter + ["ip", "-o", "link", "show"])
        let count = links.split(separator: "\n").count
        return "running, rules [\(rules)], queues [\(queues)], \(count) interfaces"
    }

    func identity() async throws -> String {
        var parts: [String] = []
        for name in names {
            let details = try await engine.inspect(name)
            parts.append("\(details.id) \(details.startedAt)")
        }
        return parts.joined(separator: ", ")
    }

    func destroy() async throws {
        for id in ids.withLock({ $0 }) { try await removeIfThere(id) }
    }

    func putNamesake(_ number: Int) async throws {
        for name in names {
            try await removeIfThere(name)
            _ = try await Self.start(name, Self.network(token), first: names[0], engine)
        }
    }

    func namesakeState() async throws -> String { "\(try await state()) \(try await identity())" }

    func remove() async throws {
        for name in names { try await removeIfThere(name) }
        try ChildProcess.run(["docker", "network", "rm", Self.network(token)])
    }

    private func removeIfThere(_ container: String) async throws {
        do throws(FaultError) {
            try await engine.remove(container)
        } catch {
            if error.code != .notFound { throw error }
        }
    }
}
