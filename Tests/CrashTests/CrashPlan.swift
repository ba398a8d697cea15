import Basics
import Glibc
import Process
import TestSupport

/// Where and how a process of Squall dies: what the preloaded library of this test reads from the environment.
struct CrashPlan: Sendable, CustomStringConvertible {
    /// The process that acts, told by its subcommand.
    enum Role: String, Sendable {
        case controller, medic, heal, any
    }

    enum Action: String, Sendable {
        case kill, stop
        /// ENOSPC from that call on.
        case full
        /// Half of the bytes reach the file, then the process dies.
        case torn
        /// The wall clock jumps, for every process of the run.
        case step
    }

    enum Side: String, Sendable, CaseIterable {
        case before, after
    }

    var role: Role
    /// The Nth call that changes the file, from 1.
    var call: Int
    var side = Side.before
    var action = Action.kill
    var file = "journal"
    /// Seconds that the wall clock jumps.
    var step = 0
    /// The medic dies with its controller, in the same instant.
    var isLastOfItsKind = false

    var description: String { "\(action) the \(role) \(side) call \(call) on its \(file)" }

    /// Variables for a process that is only watched: its calls are logged, it does not die.
    static func watching(log: String) throws -> [String: String] {
        ["LD_PRELOAD": try Shim.library.get().path, "CRASH_LOG": log]
    }

    func environment(log: String) throws -> [String: String] {
        let own = [
            "CRASH_ROLE": role.rawValue, "CRASH_CALL": "\(call)", "CRASH_SIDE": side.rawValue,
            "CRASH_ACTION": action.rawValue, "CRASH_FILE": file, "CRASH_STEP": "\(step)", "CRASH_FLAG": "\(log).flag",
            "CRASH_CHILDREN": isLastOfItsKind ? "1" : "0",
        ]
        return try Self.watching(log: log).merging(own) { $1 }
    }
}

/// The library that stands between the released binary and the C library; compiled once per run of the tests.
private struct Shim: Sendable {
    let folder: TemporaryFolder
    var path: String { "\(folder.path)/crash-shim.so" }

    static let library = Result { try Shim() }

    private init() throws {
        folder = try TemporaryFolder()
        let source = "\(CrashSpace.root)/Tests/CrashTests/Shim/crash-shim.c"
        try ChildProcess.run(["clang", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", path, source])
    }
}
