internal import Basics
internal import CLinux
internal import Glibc

/// One child from its start to its end; lives on the runner's loop, where its pipes, its pidfd and its clock report.
actor CommandExecution {
    private enum Stream: CaseIterable {
        case output
        case errors
    }

    typealias Outcome = Result<CommandResult, SystemError>

    nonisolated let loop: EventLoop
    private let command: Command
    private let program: String
    private let time = SystemTimeSource()

    private var pid: pid_t = 0
    private var pidfd: CInt = -1
    private var pipes: [Stream: CInt] = [:]
    private var captured: [Stream: CapturedOutput] = [.output: CapturedOutput(), .errors: CapturedOutput()]
    private var timers: [EventLoop.Timer] = []
    private var interruption: CommandResult.Interruption?
    private var started = Instant(nanoseconds: 0)
    private var ended: (ending: CommandResult.Ending, at: Instant)?
    private var continuation: CheckedContinuation<Outcome, Never>?

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(_ command: Command, program: String, on loop: EventLoop) {
        self.command = command
        self.program = program
        self.loop = loop
    }

    func run(until deadline: Instant) async -> Outcome {
        do throws(SystemError) {
            try start()
        } catch {
            return .failure(error)
        }
        timers.append(loop.schedule(at: deadline) { self.assumeIsolated { $0.interrupt(.deadline) } })
        // A cancellation from before the start found nothing to interrupt.
        if Task.isCancelled, command.cancellation == .endsIt { interrupt(.cancelled) }
        return await withCheckedContinuation { continuation = $0 }
    }

    // MARK: Start

    private func start() throws(SystemError) {
        var ends: [Stream: (read: CInt, write: CInt)] = [:]
        defer { for end in ends.values { close(end.write) } }
        do throws(SystemError) {
            for stream in Stream.allCases { ends[stream] = try openPipe() }
            started = time.now
            try spawn(output: ends[.output]?.write ?? -1, errors: ends[.errors]?.write ?? -1)
        } catch {
            for end in ends.values { close(end.read) }
            throw error
        }
        pipes = ends.mapValues(\.read)
        do throws(SystemError) {
            try watchChild()
        } catch {
            abandon()
            throw error
        }
    }

    private func spawn(output: CInt, errors: CInt) throws(SystemError) {
        var environment = command.environment
        environment["PATH"] = environment["PATH"] ?? Command.defaultPath
        let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
        let failure = withCStrings(command.arguments) { arguments in
            withCStrings(variables) { variables in
                squall_spawn(program, arguments, variables, command.directory, output, errors, &pid)
            }
        }
        guard failure == 0 else { throw SystemError("posix_spawn", errno: failure, subject: program) }
    }

    private func watchChild() throws(SystemError) {
        pidfd = try retryingInterrupts("pidfd_open", subject: "pid \(pid)") { squall_pidfd_open(pid, 0) }
        try loop.watch(pidfd, for: .readable) { _ in self.assumeIsolated { $0.childEnded() } }
        for (stream, descriptor) in pipes {
            try loop.watch(descriptor, for: .readable) { _ in self.assumeIsolated { $0.drain(stream) } }
        }
    }

    /// A child that we cannot watch must not live on unseen; ours until reaped, so that its pid is still its own.
    private func abandon() {
        kill(-pid, SIGKILL)
        var status: CInt = 0
        waitpid(pid, &status, 0)
        release()
    }

    // MARK: Output

    private func drain(_ stream: Stream) {
        guard let descriptor = pipes[stream] else { return }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &chunk, chunk.count)
        if count > 0 {
            captured[stream]?.append(chunk[..<count], limit: command.outputLimit)
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            closePipe(stream)
            finishIfComplete()
        }
    }

    private func closePipe(_ stream: Stream) {
        guard let descriptor = pipes.removeValue(forKey: stream) else { return }
        loop.unwatch(descriptor)
        close(descriptor)
    }

    // MARK: End

    /// SIGTERM to the group now, SIGKILL after the grace; the child's own end is then seen as always.
    func interrupt(_ reason: CommandResult.Interruption) {
        guard interruption == nil, ended == nil, pidfd >= 0 else { return }
        interruption = reason
        kill(-pid, SIGTERM)
        let last = time.now + command.grace
        timers.append(loop.schedule(at: last) { self.assumeIsolated { $0.killGroup() } })
    }

    /// Only while the child is not reaped: after that, nothing keeps its number from being given away.
    private func killGroup() {
        if ended == nil { kill(-pid, SIGKILL) }
    }

    private func childEnded() {
        guard ended == nil else { return }
        let at = time.now
        // What an interrupted command left in its group goes with it; the zombie still holds the group's number.
        if interruption != nil { kill(-pid, SIGKILL) }
        var isSignal: CInt = 0
        var status: CInt = 0
        guard squall_reap(pidfd, &isSignal, &status) == 1 else { return }
        let signal = isSignal == 1 ? Signal(number: status) : nil
        ended = (signal.map(CommandResult.Ending.killed) ?? .exited(status), at)
        loop.unwatch(pidfd)
        finishIfComplete()
        // A descendant may hold the pipes open for ever; what the command itself wrote is in them already.
        if continuation != nil {
            timers.append(loop.schedule(at: at + .milliseconds(100)) { self.assumeIsolated { $0.stopReading() } })
        }
    }

    private func stopReading() {
        for stream in Stream.allCases { closePipe(stream) }
        finishIfComplete()
    }

    private func finishIfComplete() {
        guard let ended, pipes.isEmpty, let waiting = continuation else { return }
        continuation = nil
        release()
        waiting.resume(
            returning: .success(
                CommandResult(
                    ending: ended.ending, interruption: interruption, output: captured[.output] ?? CapturedOutput(),
                    errors: captured[.errors] ?? CapturedOutput(), started: started, ended: ended.at)))
    }

    private func release() {
        for timer in timers { loop.cancel(timer) }
        for stream in Stream.allCases { closePipe(stream) }
        guard pidfd >= 0 else { return }
        loop.unwatch(pidfd)
        close(pidfd)
        pidfd = -1
    }
}

/// A pipe whose ends are both close-on-exec and above the standard descriptors, its read end non-blocking.
private func openPipe() throws(SystemError) -> (read: CInt, write: CInt) {
    var ends: [CInt] = [-1, -1]
    try retryingInterrupts("pipe2") { squall_pipe(&ends) }
    // A controller started without stdin would get 0 here, which the child's own redirection would then overwrite.
    for index in ends.indices where ends[index] < 3 {
        let low = ends[index]
        ends[index] = fcntl(low, F_DUPFD_CLOEXEC, 3)
        let failure = errno
        close(low)
        if ends[index] < 0 {
            close(ends[1 - index])
            throw SystemError("fcntl", errno: failure)
        }
    }
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    return (ends[0], ends[1])
}
