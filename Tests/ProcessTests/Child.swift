import Basics
import CLinux
import Contracts
import Glibc
import Process

/// A real child process in its own group, killed and reaped when the test lets go of it.
final class Child: Sendable {
    let pid: Int32
    private let output: CInt

    /// Starts `arguments` (the program by its path) with its stdout on a pipe.
    init(_ arguments: [String]) throws {
        var ends: [CInt] = [-1, -1]
        guard squall_pipe(&ends) == 0 else { throw SystemError.last("pipe2") }
        var copies = arguments.map { strdup($0) } + [nil]
        var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
        defer {
            for copy in copies + environment { free(copy) }
            close(ends[1])
        }
        var started: pid_t = 0
        let failure = squall_spawn(arguments[0], &copies, &environment, nil, ends[1], 2, &started)
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, subject: arguments[0]) }
        pid = started
        output = ends[0]
        _ = fcntl(output, F_SETFL, O_NONBLOCK)
    }

    /// A Python program given as text.
    static func python(_ program: String) throws -> Child { try Child(["/usr/bin/python3", "-c", program]) }

    /// Waits until the child has printed a line: it is then where the test wants it.
    func readLine() async throws -> String {
        var line: [UInt8] = []
        let isComplete = try await eventually {
            var byte: UInt8 = 0
            while read(output, &byte, 1) == 1 {
                if byte == 10 { return true }
                line.append(byte)
            }
            return false
        }
        guard isComplete else { throw SystemError("read", errno: ETIMEDOUT, subject: "the line of pid \(pid)") }
        return String(decoding: line, as: UTF8.self)
    }

    /// Waits for the end without reaping: the child stays a zombie.
    func waitUntilZombie() async throws {
        let isDead = try await eventually {
            var info = siginfo_t()
            info.si_signo = 0
            try retryingInterrupts("waitid") { waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG) }
            return info.si_signo == SIGCHLD
        }
        guard isDead else { throw SystemError("waitid", errno: ETIMEDOUT, subject: "pid \(pid)") }
    }

    func reap() {
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }

    deinit {
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        reap()
        close(output)
    }
}

extension Instant {
    /// A deadline that only a broken test reaches.
    static func soon(_ span: Span = .seconds(20)) -> Instant { SystemTimeSource().now + span }
}

/// Looks again and again until `condition` holds; false when it never did.
func eventually(within span: Span = .seconds(20), _ condition: () throws -> Bool) async throws -> Bool {
    let time = SystemTimeSource()
    let deadline = time.now + span
    while try !condition() {
        guard time.now < deadline else { return false }
        try await time.sleep(for: .milliseconds(2))
    }
    return true
}

/// The environment of the test run.
enum SystemEnvironment {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
