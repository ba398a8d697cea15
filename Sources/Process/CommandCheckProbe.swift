package import Basics
package import Contracts
package import Experiment
internal import Synchronization

/// Runs a program again and again: anything a health check script can see, as operations of a probe.
package struct CommandCheckProbe: Probe {
    package static let kind = "command.check"
    package static let emits: Set<ObservationKind> = [.operations, .measurements]
    package static let metrics = ["value"]

    private static let command = Parameter<[String]>.required(
        "command", .list(.text), "the program with its arguments; no shell")
    private static let every = Parameter<Span>.defaulted(
        "every", .span, to: .seconds(1), written: "1s", "time between two starts, whatever the runs take")
    private static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(5), written: "5s", "a run that takes longer is ended and counts as unknown")
    private static let exitCode = Parameter<Int>.defaulted(
        "exit-code", .integer(0...255), to: 0, written: "0", "the exit code that means ok")
    private static let output = Parameter<OutputCondition?>.optional(
        "output", OutputCondition.type, "what its standard output must look like")
    private static let container = Parameter<String?>.optional(
        "container", .text, "run it in this container (name or id) instead of on this machine")
    private static let environment = Parameter<[NamedValue<String>]>.defaulted(
        "environment", .map(.text), to: [], written: "PATH only", "the program's variables; nothing is inherited")
    private static let directory = Parameter<String?>.optional("directory", .text, "the program's working folder")
    package static let parameters: [any AnyParameter] = [
        command, every, timeout, exitCode, output, container, environment, directory,
    ]

    package let name: Label
    package let command: Command
    package let every: Span
    package let timeout: Span
    package let exitCode: Int32
    package let output: OutputCondition
    package let place: CommandPlace

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        let arguments = reader.value(Self.command)
        let variables = reader.value(Self.environment).map { ($0.name, $0.value) }
        command = Command(
            arguments, environment: Dictionary(variables) { first, _ in first },
            directory: reader.value(Self.directory), grace: .milliseconds(500), cancellation: .ignored)
        every = reader.value(Self.every)
        timeout = reader.value(Self.timeout)
        exitCode = Int32(reader.value(Self.exitCode))
        output = reader.value(Self.output) ?? OutputCondition()
        place = reader.value(Self.container).map(CommandPlace.container) ?? .host
        reader.checkProgram("command", arguments)
        for (key, span) in [("every", every), ("timeout", timeout)] where span < .milliseconds(1) {
            reader.diagnostics.error("'\(key)' must be at least 1ms", at: reader.location(of: key))
        }
    }

    /// Runs the program once: it must be able to start. What it answers is the steady state's business.
    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            _ = try await place.run(command, until: context.time.now + timeout, in: context)
            return []
        } catch {
            return [Finding(.error, "probe '\(name)': \(error.message)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        CommandCheckSession(probe: self, context: context.system)
    }
}

/// Starts a run whenever one is due, whether or not the one before has ended.
private final class CommandCheckSession: ProbeSession {
    /// More programs than this at the same time would measure this machine and not what they look at.
    private static let inFlightLimit = 64

    private let probe: CommandCheckProbe
    private let context: SystemContext
    private let inFlight = Mutex(0)

    init(probe: CommandCheckProbe, context: SystemContext) {
        self.probe = probe
        self.context = context
    }

    func run() async {
        let time = context.time
        let plan = OpenLoop(start: time.now, rate: Rate(perSecond: 1 / probe.every.seconds))
        await withDiscardingTaskGroup { group in
            await plan.run(time: time) { stall in
                context.record(.stall(stall))
            } _: { arrival in
                let isFree = inFlight.withLock { count in
                    guard count < Self.inFlightLimit else { return false }
                    count += 1
                    return true
                }
                guard isFree else { return record(arrival, sent: nil, end: time.now, .failed, "overrun") }
                group.addTask {
                    await self.check(arrival)
                    self.inFlight.withLock { $0 -= 1 }
                }
            }
        }
    }

    func close() async throws(FaultError) {}

    private func check(_ arrival: Arrival) async {
        let started = context.time.now
        do throws(FaultError) {
            let result = try await probe.place.run(
                probe.command, until: started + probe.timeout, in: context)
            let (outcome, reason) = judge(result)
            record(arrival, sent: result.started, end: result.ended, outcome, reason)
            if let value = probe.output.quantity(of: result.output.text) { record(value, at: result.ended) }
        } catch {
            recordFailure(arrival, error, started: started)
        }
    }

    /// What could not be started was not asked. When we or the engine could not tell, neither can the record.
    private func recordFailure(_ arrival: Arrival, _ error: FaultError, started: Instant) {
        let end = context.time.now
        switch error.code {
        case .notFound, .notApplicable, .denied, .foreignState, .inUse:
            record(arrival, sent: nil, end: end, .failed, Label("not-started-\(error.code.rawValue)"))
        case .timeout: record(arrival, sent: started, end: end, .unknown, "timeout")
        case .unreachable, .unexpected: record(arrival, sent: started, end: end, .unknown, Label(error.code.rawValue))
        // In a container only: the run ended before the answer and before the time limit, so there is nothing to report.
        case .cancelled: break
        }
    }

    /// A run that had to be ended says nothing of what it looked at.
    private func judge(_ result: CommandResult) -> (Outcome, Label) {
        guard let code = result.exitCode else {
            switch (result.interruption, result.ending) {
            case (.deadline, _): return (.unknown, "timeout")
            case (.cancelled, _): return (.unknown, "cancelled")
            case (nil, .killed(let signal)): return (.failed, Label("\(signal)"))
            case (nil, .exited(let code)): return (.failed, Label("exit-\(code)"))
            }
        }
        guard code == probe.exitCode else { return (.failed, Label("exit-\(code)")) }
        return probe.output.failure(of: result.output.text).map { (.failed, Label($0)) } ?? (.ok, .none)
    }

    private func record(
        _ arrival: Arrival, sent: Instant?, end: Instant, _ outcome: Outcome, _ reason: Label
    ) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: "command", action: .check, sequence: arrival.number, due: arrival.due,
                    sent: sent, end: end, outcome: outcome, reason: reason)))
    }

    /// The output as a number, for conditions on `value`; spans in seconds, shares as fractions.
    private func record(_ value: Quantity, at instant: Instant) {
        guard let magnitude = value.magnitude else { return }
        let unit: Measurement.Unit =
            switch value {
            case .span: .seconds
            case .bytes: .bytes
            case .share: .fraction
            case .number, .rate, .text: .count
            }
        context.record(
            .measurement(
                Measurement(
                    probe: probe.name, node: .none, metric: "value", at: instant, value: magnitude, unit: unit)))
    }
}

extension CommandCheckProbe {
    package static let manual = Manual(
        summary: "Runs a command at fixed times and looks at its exit code and output.",
        details: """
            Starts the program at t0, t0 + every, t0 + 2 every, …, on this machine or with `container` inside one, whether \
            or not the run before has ended. A run is ok when its exit code is `exit-code` and its output meets `output`: \
            text it `contains`, what it `equals`, or a comparison of the whole output as a number (`value: "< 100"`). A \
            run that takes longer than `timeout` is ended and counts as unknown, one that could not be started as failed \
            and never sent. Latency is counted from when the run was due. An output that is a number is also recorded \
            as the measurement `value`, for tolerances and stop conditions.
            """,
        example: """
            probes:
              queue: {type: command.check, command: [queue-depth, --json], every: 1s, timeout: 2s, output: {value: "< 100"}}
            """)
}
