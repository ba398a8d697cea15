package import Basics

/// A program to run, as an argument list; no shell ever reads it.
package struct Command: Sendable, Hashable, Codable {
    /// The program and its arguments. A program without `/` is looked for in the `PATH` of `environment`.
    package var arguments: [String]
    /// All the child gets on a host; without `PATH` it gets Debian's usual one, and nothing of our own environment leaks
    /// in. In a container it comes on top of what the container was started with.
    package var environment: [String: String]
    /// nil: the controller's.
    package var directory: String?
    /// Bytes of each output stream that are kept; the rest is read, counted and dropped.
    package var outputLimit: Int
    /// Time between SIGTERM and SIGKILL when the deadline has passed.
    package var grace: Span
    package var cancellation: Cancellation

    /// What a cancelled task means for its command.
    package enum Cancellation: String, Sendable, Hashable, Codable {
        case endsIt
        /// An undo, or the last look of a probe: it ends by itself or at its deadline.
        case ignored
    }

    package init(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil,
        outputLimit: Int = 65_536, grace: Span = .seconds(2), cancellation: Cancellation = .endsIt
    ) {
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.outputLimit = outputLimit
        self.grace = grace
        self.cancellation = cancellation
    }

    /// The search path of a child whose environment names none.
    package static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

/// How a command ended and what it said.
package struct CommandResult: Sendable, Hashable {
    /// What the kernel says of the end.
    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        case killed(Signal)
    }

    /// Why we ended it; its `ending` then tells how it took that.
    package enum Interruption: Sendable, Hashable {
        case deadline
        case cancelled
    }

    package var ending: Ending
    package var interruption: Interruption?
    package var output: CapturedOutput
    package var errors: CapturedOutput
    /// Just before the program was started, and when its end was seen.
    package var started: Instant
    package var ended: Instant

    package init(
        ending: Ending, interruption: Interruption? = nil, output: CapturedOutput = CapturedOutput(),
        errors: CapturedOutput = CapturedOutput(), started: Instant, ended: Instant
    ) {
        self.ending = ending
        self.interruption = interruption
        self.output = output
        self.errors = errors
        self.started = started
        self.ended = ended
    }

    /// The exit code of a command that ended by itself.
    package var exitCode: Int32? {
        guard interruption == nil, case .exited(let code) = ending else { return nil }
        return code
    }

    /// For messages: `exit code 3`, `killed by SIGSEGV`, `stopped at its deadline (killed by SIGTERM)`.
    package var summary: String {
        let end =
            switch ending {
            case .exited(let code): "exit code \(code)"
            case .killed(let signal): "killed by \(signal)"
            }
        return switch interruption {
        case nil: end
        case .deadline: "stopped at its deadline (\(end))"
        case .cancelled: "stopped because the run was cancelled (\(end))"
        }
    }
}

/// The kept beginning of an output stream.
package struct CapturedOutput: Sendable, Hashable {
    package var bytes: [UInt8]
    /// All that was written, kept or not.
    package var total: Int

    package init(bytes: [UInt8] = [], total: Int? = nil) {
        self.bytes = bytes
        self.total = total ?? bytes.count
    }

    package var isTruncated: Bool { total > bytes.count }
    /// The kept bytes as UTF-8, bad sequences replaced.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The last line that says something, for messages; says when the end is missing.
    package var lastLine: String {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
        guard let last = lines.last else { return "" }
        let shown = last.count > 200 ? last.prefix(200) + "…" : last
        return isTruncated ? "\(shown) (first \(bytes.count) of \(total) bytes)" : String(shown)
    }

    /// Keeps what fits under `limit` and counts the rest.
    mutating func append(_ chunk: some Collection<UInt8>, limit: Int) {
        bytes += chunk.prefix(max(0, limit - bytes.count))
        total += chunk.count
    }
}

/// Runs programs on a host; a service, so that a simulated host can stand in.
package protocol CommandRunner: Sendable {
    /// Runs to its end, or until `deadline`, or until the task is cancelled; then the whole process group gets SIGTERM
    /// and, after the command's grace, SIGKILL. Throws only when the program could not be started.
    func run(_ command: Command, until deadline: Instant) async throws(SystemError) -> CommandResult
}
