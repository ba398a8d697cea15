import Basics
import Foundation
import Process
import TestSupport
import Testing

/// A folder in which the released binary runs and dies: runs, state and the log of its calls are all of its own.
final class CrashSpace: Sendable {
    static let root = String(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })
    static let binary =
        ProcessInfo.processInfo.environment["SQUALL_BINARY"] ?? "\(root)/.build/release/squall"

    let folder: TemporaryFolder
    /// Where the engine answers; empty: where it always does.
    let engine: String

    init(engine: String = "") throws {
        try #require(access(Self.binary, X_OK) == 0, "\(Self.binary) is missing: swift build -c release")
        folder = try TemporaryFolder()
        self.engine = engine
    }

    var path: String { folder.path }
    var log: String { "\(path)/crash.log" }
    var runs: String { "\(path)/runs" }
    var crashLog: CrashLog { CrashLog(log) }

    private func environment(_ plan: CrashPlan?) throws -> [String: String] {
        var variables = [
            "HOME": path, "PATH": Command.defaultPath, "SQUALL_STATE_DIR": "\(path)/state",
            "DOCKER_HOST": engine.isEmpty ? ProcessInfo.processInfo.environment["DOCKER_HOST"] ?? "" : engine,
        ].filter { !$0.value.isEmpty }
        variables.merge(try plan?.environment(log: log) ?? CrashPlan.watching(log: log)) { $1 }
        return variables
    }

    /// Starts a command; its output is in `NAME.out` and `NAME.err`.
    func start(_ arguments: [String], _ plan: CrashPlan? = nil, name: String = "controller") throws -> SquallProcess {
        try SquallProcess(
            arguments, folder: path, environment: try environment(plan), output: "\(path)/\(name)")
    }

    /// Runs a command to its end.
    func squall(_ arguments: [String], _ plan: CrashPlan? = nil) async throws -> (
        ending: SquallProcess.Ending, text: String
    ) {
        let name = "command-\(arguments.first ?? "")"
        let process = try start(arguments, plan, name: name)
        let ending = try #require(try await process.ending(within: .minutes(2)), "squall \(arguments) does not end")
        return (ending, output(name))
    }

    /// What a command has said so far.
    func output(_ name: String = "controller") -> String {
        (contents("\(path)/\(name).out") ?? "") + (contents("\(path)/\(name).err") ?? "")
    }

    /// The newest run of this folder; nil before the first.
    var run: RunFiles? {
        let latest = "\(runs)/latest"
        return access(latest, F_OK) == 0 ? RunFiles(path: latest) : nil
    }

    /// Kills whoever is left of a dead run, also a medic that is just being started, until nobody is.
    func bury() async throws {
        let isOver = try await eventually(within: .seconds(10)) {
            let living = ProcessList.squall(nil, log: log)
            for pid in living { kill(pid, SIGKILL) }
            return living.isEmpty
        }
        try #require(isOver, "processes of the run do not die")
    }

    /// Medics of this folder that are alive.
    var medics: [Int32] { ProcessList.squall("medic", log: log) }
}
