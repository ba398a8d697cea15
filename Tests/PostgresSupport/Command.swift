internal import Basics
internal import Glibc

/// Runs a program to its end without a shell, on a thread of its own.
///
/// A fixture that blocked the cooperative pool for the seconds of an initdb would stall the pacers of all other tests.
package enum Command {
    package struct Failure: Error, CustomStringConvertible {
        package var command: [String]
        package var status: CInt
        package var output: String
        package var description: String { "\(command.joined(separator: " ")) ended with \(status): \(output)" }
    }

    /// The program's standard output and error; throws when it does not exit with 0.
    @discardableResult
    package static func run(_ command: [String]) async throws -> String {
        let thread = try EventLoop(name: "fixture")
        defer { thread.stop() }
        let result: Result<String, any Error> = await withCheckedContinuation { continuation in
            thread.schedule(at: Instant(nanoseconds: 0)) {
                continuation.resume(returning: Result { try runBlocking(command) })
            }
        }
        return try result.get()
    }

    private static func runBlocking(_ command: [String]) throws -> String {
        // A file, not a pipe: a server that a parallel test starts would inherit a pipe's end and keep it open.
        var path = Array("/tmp/squall-command-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        guard file >= 0 else { throw Failure(command: command, status: errno, output: "mkstemp") }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
        unlink(path)
        defer { close(file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, file, 1)
        posix_spawn_file_actions_adddup2(&actions, file, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let spawned = posix_spawnp(&pid, command[0], &actions, nil, arguments, environ)
        guard spawned == 0 else { throw Failure(command: command, status: spawned, output: "posix_spawnp") }
        var status: CInt = 0
        while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        lseek(file, 0, SEEK_SET)
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = read(file, &buffer, buffer.count)
            if count <= 0 { break }
            output += buffer[..<count]
        }
        let text = String(decoding: output, as: UTF8.self)
        guard status == 0 else { throw Failure(command: command, status: status, output: text) }
        return text
    }
}
