internal import Basics
internal import Glibc

/// A program a test started: its output by line, killed and reaped when the test lets go of it.
package final class ChildProcess: Sendable {
    package let pid: Int32
    private let output: CInt

    /// Starts `arguments[0]`, found in PATH; standard output is read by `line()`, standard error is dropped.
    package init(_ arguments: [String]) throws {
        var ends: [CInt] = [0, 0]
        // A pair of sockets is close-on-exec from its birth; a pipe would leak into children spawned at the same time.
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        try retryingInterrupts("socketpair") { socketpair(AF_UNIX, kind, 0, &ends) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        // A child that outlives the tests must not hold their output open: whoever reads it would wait for ever.
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var child = pid_t()
        var argv = arguments.map { strdup($0) }
        defer { for argument in argv { free(argument) } }
        argv.append(nil)
        let result = posix_spawnp(&child, arguments[0], &actions, nil, argv, environ)
        guard result == 0 else {
            close(ends[0])
            throw SystemError("posix_spawn", errno: result, subject: arguments[0])
        }
        pid = child
        output = ends[0]
    }

    deinit {
        close(output)
        kill(pid, SIGKILL)
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }

    /// The next line of its output, without the line break; nil at the end. Blocks: for a server's first words only.
    package func line() -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Runs a program to its end and returns its output; throws when it exits with anything but 0.
    @discardableResult
    package static func run(_ arguments: [String]) throws -> String {
        let child = try ChildProcess(arguments)
        var lines: [String] = []
        while let line = child.line() { lines.append(line) }
        var info = siginfo_t()
        // WNOWAIT: the process stays a zombie, so that `deinit` cannot hit a recycled pid.
        try retryingInterrupts("waitid") { waitid(P_PID, id_t(child.pid), &info, WEXITED | WNOWAIT) }
        guard info.si_code == CLD_EXITED, info._sifields._sigchld.si_status == 0 else {
            throw SystemError("exit of", errno: EIO, subject: arguments.joined(separator: " "))
        }
        return lines.joined(separator: "\n")
    }
}
