import Basics
import CLinux
import Contracts
import Glibc
import Process
import Testing

/// The released binary at work, to be killed at any instant; killed and reaped at the latest with its owner.
final class SquallProcess: Sendable {
    /// How it ended.
    enum Ending: Sendable, Hashable {
        case exited(Int32)
        case killed(Int32)
    }

    let pid: Int32
    private let process: any HostProcess
    private static let host = Result { try LocalHost() }

    /// Starts it with its output in files: a pipe's end would be held by whoever outlives it.
    init(_ arguments: [String], folder: String, environment: [String: String], output: String) throws {
        let out = try Descriptor(opening: "\(output).out", flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        let errors = try Descriptor(opening: "\(output).err", flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        var argv = ([CrashSpace.binary] + arguments).map { strdup($0) }
        var variables = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { for text in argv + variables { free(text) } }
        argv.append(nil)
        variables.append(nil)
        var child = pid_t()
        let failure = squall_spawn(CrashSpace.binary, argv, variables, folder, out.number, errors.number, &child)
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, subject: CrashSpace.binary) }
        pid = child
        process = try Self.host.get().process(child)
    }

    deinit {
        kill(pid, SIGKILL)
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }

    /// Sends a signal through its pidfd and gives the time just before.
    @discardableResult
    func send(_ signal: Int32) throws -> Instant {
        let now = SystemTimeSource().now
        do throws(SystemError) {
            try process.send(signal: signal)
        } catch {
            if error.errno != ESRCH { throw error }
        }
        return now
    }

    /// Waits for its end; nil when it still lives after `limit`.
    func ending(within limit: Span) async throws -> Ending? {
        guard try await process.waitForExit(until: SystemTimeSource().now + limit) != nil else { return nil }
        var info = siginfo_t()
        // WNOWAIT: it stays a zombie until `deinit`, so that no signal of ours can reach a recycled pid.
        try retryingInterrupts("waitid") { waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) }
        let status = info._sifields._sigchld.si_status
        return info.si_code == CLD_EXITED ? .exited(status) : .killed(status)
    }
}

/// The processes of this machine as the kernel shows them.
enum ProcessList {
    /// The state letter of a process; nil when it is gone. A zombie (Z) has ended.
    static func state(_ pid: Int32) -> Character? {
        guard let text = contents("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let letter = text[end...].dropFirst(2).first
        return letter == "Z" || letter == "X" ? nil : letter
    }

    /// Live processes of Squall with this subcommand (nil: with any) that belong to a run: their environment names its log.
    static func squall(_ subcommand: String?, log: String) -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let pid = Int32(name), let line = contents("/proc/\(pid)/cmdline") else { continue }
            let words = line.split(separator: "\0")
            guard words.count > 1, words[0].hasSuffix("squall"), subcommand.map({ words[1] == $0 }) ?? true,
                state(pid) != nil,
                contents("/proc/\(pid)/environ")?.contains("CRASH_LOG=\(log)\0") == true
            else { continue }
            found.append(pid)
        }
        return found.sorted()
    }
}

/// A file's text; nil when it cannot be read, as when its process is gone.
func contents(_ path: String) -> String? {
    do throws(SystemError) {
        return String(decoding: try Descriptor(opening: path, flags: O_RDONLY).readToEnd(), as: UTF8.self)
    } catch {
        return nil
    }
}

/// Asks again until it holds; false when it does not within `limit`.
func eventually(within limit: Span, _ condition: () async throws -> Bool) async throws -> Bool {
    let time = SystemTimeSource()
    let deadline = time.now + limit
    while true {
        if try await condition() { return true }
        if time.now >= deadline { return false }
        try await time.sleep(for: .milliseconds(2))
    }
}
