import Basics
import Foundation
import Process
import Testing

/// A container of the test's own that a run pauses, kills, stops, restarts or removes.
final class ContainerVictim: Victim {
    let name: String
    private let id: String
    private let fault: String
    private let engine: Engine
    private let kernel: ContainerKernelView

    /// Ends at SIGTERM, so that a stop is a matter of milliseconds.
    private static let obedient = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"

    init(_ fault: String, in space: CrashSpace, policy: String = "no", script: String = obedient) async throws {
        self.fault = fault
        engine = Engine(space.engine)
        name = "crash-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        id = try await engine.run([
            "run", "--detach", "--name", name, "--network", "none", "--label", "squall.test=crash", "--restart", policy,
            Engine.image, "sh", "-c", script,
        ])
        let pid = try await engine.run(["inspect", "--format", "{{.State.Pid}}", name])
        kernel = try ContainerKernelView(pid: try #require(Int32(pid)))
    }

    var mark: String { name }
    /// The fault ends its init process.
    var isKilled: Bool { fault == "container.kill" }
    var targets: String { "victim: {docker: {names: [\(name)]}}" }
    var step: String { "fault: \(fault), target: victim" }
    var isWholeToTheKernel: Bool { kernel.isAlive && !kernel.isFrozen && !kernel.isStopped }

    func damage() async throws -> String? {
        // The name and not the id: a removed container is whole again when its successor bears its name.
        let format = "{{.State.Status}} {{.State.Pid}}"
        let state = try await engine.run(["inspect", "--format", format, name], mayFail: true).split(separator: " ")
        guard state.count == 2, let pid = Int32(state[1]) else { return "\(name) is gone" }
        guard state[0] == "running" else { return "\(name) is \(state[0])" }
        if ProcessList.state(pid).map({ $0 == "T" }) ?? true { return "the init process of \(name) does not run" }
        let view = try ContainerKernelView(pid: pid)
        if view.isFrozen { return "\(name) is frozen, the engine says running" }
        // The twin that nobody needs any more would be a leftover too.
        let twin = "squall-undo-\(id.prefix(12))"
        let left = try await engine.run(["ps", "--all", "--quiet", "--filter", "name=\(twin)"])
        return left.isEmpty ? nil : "\(twin) is left"
    }

    func remove() async throws {
        try await engine.run(["rm", "--force", name], mayFail: true)
    }
}

/// A container as the kernel shows it: by its control group, whose folder stays the same from one start to the next.
struct ContainerKernelView: Sendable {
    private let folder: String
    private let isUnified: Bool

    init(pid: Int32) throws {
        let text = try #require(contents("/proc/\(pid)/cgroup"), "pid \(pid) is gone")
        let lines = text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        if let freezer = lines.first(where: { $0.count == 3 && $0[1] == "freezer" }) {
            folder = "/sys/fs/cgroup/freezer\(freezer[2])"
            isUnified = false
        } else {
            folder = "/sys/fs/cgroup\(try #require(lines.first { $0.count == 3 && $0[0] == "0" })[2])"
            isUnified = true
        }
    }

    private var processes: [Int32] {
        (contents("\(folder)/cgroup.procs") ?? "").split(separator: "\n").compactMap { Int32($0) }
    }

    var isAlive: Bool { !processes.isEmpty }

    var isFrozen: Bool {
        isUnified
            ? contents("\(folder)/cgroup.events")?.contains("frozen 1") == true
            : contents("\(folder)/freezer.state")?.hasPrefix("THAWED") == false
    }

    /// The init process, the oldest of the group, is stopped by a signal.
    var isStopped: Bool { processes.min().map { ProcessList.state($0) == "T" } ?? false }
}

/// The engine as a person asks it: with the docker command.
struct Engine: Sendable {
    static let image = "squall-lab:latest"
    let host: String

    init(_ host: String) {
        self.host = host.isEmpty ? ProcessInfo.processInfo.environment["DOCKER_HOST"] ?? "" : host
    }

    /// Runs `docker ARGUMENTS` and gives its output without the line break.
    @discardableResult
    func run(_ arguments: [String], mayFail: Bool = false, limit: Span = .minutes(1)) async throws -> String {
        let address = host.isEmpty ? [] : ["--host", host]
        let command = Command(
            ["docker"] + address + arguments, environment: ["PATH": Command.defaultPath, "HOME": "/"])
        let result = try await LocalCommandRunner().run(command, until: SystemTimeSource().now + limit)
        if !mayFail { try #require(result.exitCode == 0, "docker \(arguments): \(result.errors.text)") }
        return result.output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
