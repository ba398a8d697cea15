import Basics
import Foundation
import Process
import TestSupport
import Testing

/// Something real that a run breaks, and what the machine itself says about it.
protocol Victim: Sendable {
    /// Appears wherever Squall speaks of it.
    var mark: String { get }
    /// Lines under `targets:`; empty when the fault needs none.
    var targets: String { get }
    /// The step under `method:`, without its duration.
    var step: String { get }
    /// A fast look at the kernel, for reaction times: false while the fault shows.
    var isWholeToTheKernel: Bool { get }
    /// The whole truth, also of the engine: nil when nothing is left of a fault, else what is.
    func damage() async throws -> String?
    func remove() async throws
}

/// The faults that the crash tests inject; each has an undo that has to be carried out.
enum Damage: String, Sendable, CaseIterable, CustomStringConvertible {
    case flag, freeze
    case pause, kill, halt, stop, restart, remove
    /// A pause of a container that its engine starts whenever it starts itself.
    case pauseRestarting
    /// A file whose undo fails until a person has done something.
    case stuckFlag
    /// A program that takes its time before it does any harm.
    case lateFlag
    /// A container that ignores SIGTERM, so that the engine waits before it kills it.
    case stubbornStop, stubbornRestart

    static let withoutEngine: [Damage] = [.flag, .freeze]

    var description: String { rawValue }

    private static let stubborn = "trap '' TERM; while :; do sleep 1; done"

    /// Makes the victim; its folder is the run's.
    func victim(in space: CrashSpace) async throws -> any Victim {
        switch self {
        case .flag: FlagVictim(path: "\(space.path)/flag")
        case .stuckFlag:
            FlagVictim(path: "\(space.path)/flag", condition: "test -e \(space.path)/flag.fixed")
        case .lateFlag: FlagVictim(path: "\(space.path)/flag", delay: "0.5")
        case .stubbornStop:
            try await ContainerVictim("container.stop, timeout: 3s", in: space, script: Self.stubborn)
        case .stubbornRestart:
            try await ContainerVictim("container.restart, timeout: 3s", in: space, script: Self.stubborn)
        case .freeze: try ProcessVictim(folder: space.path)
        case .pause: try await ContainerVictim("container.pause", in: space)
        case .pauseRestarting: try await ContainerVictim("container.pause", in: space, policy: "always")
        case .kill: try await ContainerVictim("container.kill", in: space)
        case .halt: try await ContainerVictim("container.kill, signal: SIGSTOP", in: space)
        case .stop: try await ContainerVictim("container.stop, timeout: 1s", in: space)
        case .restart: try await ContainerVictim("container.restart, timeout: 1s", in: space)
        case .remove: try await ContainerVictim("container.remove", in: space)
        }
    }
}

/// A file that must not exist: `command.run`.
struct FlagVictim: Victim {
    let path: String
    var mark: String { path }
    /// Seconds that pass before it appears.
    var delay = "0"
    /// Without it the undo fails.
    var condition = "true"
    var targets: String { "" }
    var step: String {
        """
        fault: command.run, inject: [sh, -c, "sleep \(delay); touch \(path)"], confirm: [test, -e, \(path)], \
        undo: [sh, -c, "\(condition) && rm -f \(path)"], check-clean: [test, "!", -e, \(path)]
        """
    }
    var isWholeToTheKernel: Bool { access(path, F_OK) != 0 }
    func damage() -> String? { isWholeToTheKernel ? nil : "\(path) exists" }
    func remove() {}
}

/// A process of this machine that is stopped: `process.signal`.
final class ProcessVictim: Victim {
    private let name: String
    private let child: ChildProcess
    var pid: Int32 { child.pid }
    var mark: String { name }

    /// A program of a name of its own, so that no other process can be meant.
    init(folder: String) throws {
        name = "victim-\(String(UInt32.random(in: 0...UInt32.max), radix: 36))"
        try ChildProcess.run(["cp", "/bin/sleep", "\(folder)/\(name)"])
        child = try ChildProcess(["\(folder)/\(name)", "600"])
    }

    var targets: String { "" }
    var step: String { "fault: process.signal, process: \(name), signal: SIGSTOP, expect: 1" }
    var isWholeToTheKernel: Bool { ProcessList.state(pid).map { $0 != "T" } ?? false }

    func damage() -> String? {
        guard let state = ProcessList.state(pid) else { return "\(name) is gone" }
        return state == "T" ? "\(name) is stopped" : nil
    }

    func remove() { kill(pid, SIGKILL) }
}
