import Foundation
import Glibc

/// The project's shell scripts, as a person starts them.
struct Script {
    /// What a finished script left behind.
    struct Result {
        let exitCode: Int32
        let output: String
        let errors: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every shell script of the project, by its path below the root.
    static func all() throws -> [String] {
        let scripts = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: "scripts").path)
        return try scripts.map { "scripts/" + $0 }.filter { path in
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder),
                !isFolder.boolValue
            else { return false }
            return try text(of: path).hasPrefix("#!/usr/bin/env bash\n")
        }.sorted() + [".ci/run"]
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Runs a script of the project with `arguments` and waits for its end.
    static func run(
        _ path: String, _ arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> Result {
        try await run(program: root.appending(path: path), arguments, environment: environment)
    }

    /// Runs any program. Output goes through files, so that no pipe can fill up.
    static func run(
        program: URL, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = [folder.appending(path: "output"), folder.appending(path: "errors")]
        let all = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let (words, variables) = ([program.path] + arguments, all.map { "\($0.key)=\($0.value)" })
        // On a thread of its own: a test that blocked one of the pool's would stall the pacers of all others.
        let status = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Swift.Result { try spawn(words, variables, output: files.map(\.path)) })
            }
        }
        return Result(
            exitCode: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f,
            output: try String(contentsOf: files[0], encoding: .utf8),
            errors: try String(contentsOf: files[1], encoding: .utf8))
    }

    /// Starts a program and waits for it; gives the status of wait(2).
    ///
    /// Foundation's own class learns of the end by a socket that servers of tests beside this one inherit: it would wait for
    /// them, on a thread that they need to end.
    private static func spawn(_ arguments: [String], _ environment: [String], output: [String]) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (index, path) in output.enumerated() {
            posix_spawn_file_actions_addopen(&actions, Int32(index + 1), path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EIO) }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) == -1, errno == EINTR {}
        return status
    }
}
