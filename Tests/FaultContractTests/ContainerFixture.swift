import Basics
import Contracts
import Controller
import Docker
import Experiment
import Process

/// A container of the lab's image on the real engine, running a process of the name that the example gives.
final class ContainerFixture: ContractFixture {
    /// States that a namesake may be in, each of which some fault leaves behind.
    private enum Namesake: Int, CaseIterable {
        case stopped
        case paused
        case frozenProcess
    }

    let fault: any Fault
    let target: Target
    let context: SystemContext
    let provesAbsence = true
    let namesakes = Namesake.allCases.count

    private let engine: any ContainerEngine
    private let table: any ProcessTable
    private let label: String
    private let name: String
    private let id: String
    private let process: String

    init(_ contract: Contract) async throws {
        let token = freshToken()
        name = "squall-contract-\(token)"
        label = token
        context = try contractContext(run: "contract-\(token)")
        engine = try context.services.require((any ContainerEngine).self)
        table = try context.services.require((any ProcessTable).self)
        fault = try contract.fault(replacing: ["2G": "2M"]).fault
        let type = Contract.registry.fault(contract.kind) ?? CommandRunFault.self
        process = try Example(type).processName ?? "service"
        id = try await Self.start(name, label, process, engine)
        target = Target(
            id: "container:\(id)", name: name, attributes: [.containerID: id, .containerName: name])
        try await until("the container's process runs") { [self] in try processes(of: id).count == 1 }
    }

    /// Its init ends on SIGTERM, as one of a real service does.
    private static func start(
        _ name: String, _ label: String, _ process: String, _ engine: any ContainerEngine
    ) async throws -> String {
        let script = """
            cp /bin/sleep /tmp/\(process); trap 'exit 0' TERM
            /tmp/\(process) 600 & while :; do wait; sleep 1; done
            """
        let body: [String: JSONValue] = [
            "Image": .string("squall-lab:latest"), "Cmd": .array(["sh", "-c", script].map(JSONValue.string)),
            "Labels": .object(["squall.test": .string("contract"), "squall.contract": .string(label)]),
            "HostConfig": .object(["NetworkMode": .string("none")]),
        ]
        let id = try await engine.create(name, from: .object(body))
        try await engine.start(id)
        return id
    }

    func state() async throws -> String { try await describe(name) }

    func identity() async throws -> String {
        let details = try await engine.inspect(name)
        return "\(details.id) \(details.startedAt)"
    }

    /// A container that a heal has made anew is another one.
    func comesToRest() async throws -> Bool {
        guard fault.persistence == .untilHealed else { return false }
        do throws(FaultError) {
            return try await engine.inspect(id).state == .running
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
    }

    func destroy() async throws { try await removeIfThere(id) }

    func putNamesake(_ number: Int) async throws {
        // What a heal has put there, or the namesake before this one.
        try await removeIfThere(name)
        let other = try await Self.start(name, label, process, engine)
        try await until("the namesake's process runs") { [self] in try processes(of: other).count == 1 }
        switch Namesake(rawValue: number) {
        case .stopped, nil: try await engine.kill(other, signal: .kill)
        case .paused: try await engine.pause(other)
        case .frozenProcess:
            for entry in try processes(of: other) { try table.process(entry.identity)?.send(signal: 19) }
        }
        try await until("the namesake has come to rest") { [self] in
            let state = try await describe(name)
            return !state.hasPrefix("running") || state.contains("T")
        }
    }

    func namesakeState() async throws -> String { "\(try await describe(name)) \(try await identity())" }

    func remove() async throws {
        for container in try await engine.containers(.any, labels: ["squall.contract": label]) {
            try await removeIfThere(container.id)
        }
    }

    private func removeIfThere(_ container: String) async throws {
        do throws(FaultError) {
            try await engine.remove(container)
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// The engine's word, and inside it the process's threads and the files that faults make.
    private func describe(_ container: String) async throws -> String {
        let details: ContainerDetails
        do throws(FaultError) {
            details = try await engine.inspect(container)
        } catch {
            if error.code == .notFound { return "gone" }
            throw error
        }
        guard details.state == .running else { return details.state.text }
        let stops = try processes(of: details.id).map { try table.threadStates(of: $0.identity).contains("T") }
        let execution = Execution(["ls", "/var/tmp"])
        let files = try await engine.execute(execution, in: details.id, until: context.time.now + .seconds(10))
        let names = String(decoding: files.output.standardOutput, as: UTF8.self).split(separator: "\n")
        return "running \(stops.contains(true) ? "T" : "-") \(names)"
    }

    private func processes(of container: String) throws -> [ProcessEntry] {
        try table.processes(named: ProcessName(process), inContainer: container)
    }
}
