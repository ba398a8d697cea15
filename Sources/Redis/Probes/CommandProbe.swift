package import Basics
package import Contracts
package import Experiment

/// Asks a Redis a question of the user's own, again and again.
package struct CommandProbe: Probe {
    package static let kind = "redis.command"
    package static let manual = Manual(
        summary: "Runs a command at a constant pace and compares its answer with a tolerance.",
        details: """
            A number is recorded as the measurement `value`, and so is the length of a list. Each command is also an \
            operation: ok when the server answers and the comparison of `tolerance`, if there is one, holds; else failed \
            with the reason (mismatch, null, not-comparable, the first word of the server's error such as LOADING or \
            MASTERDOWN, timeout). Commands are due at fixed instants and never wait for each other; the connections are \
            kept. A Sentinel answers, too. Give a command that only reads: it is sent as it is.
            """,
        example: """
            queue:
              type: redis.command
              url: redis://127.0.0.1:6379
              command: [LLEN, jobs]
              every: 1s
              tolerance: "<= 1000"
            """)
    package static let emits: Set<ObservationKind> = [.operations, .measurements]
    package static let metrics = ["value"]

    private static let urlParameter = Parameter<RedisURL>.required("url", .redis, "Where to ask.")
    private static let commandParameter = Parameter<[String]>.required(
        "command", .list(.text), "The command and its arguments, for example [LLEN, jobs].")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .seconds(1), written: "1s", "The time from one command to the next.")
    private static let timeoutParameter = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(2), written: "2s", "How long an answer may take from when it was due.")
    private static let toleranceParameter = Parameter<Comparison?>.optional(
        "tolerance", .comparison, "What the answer must be, for example \"<= 1000\" or PONG.")
    package static let parameters: [any AnyParameter] = [
        urlParameter, commandParameter, everyParameter, timeoutParameter, toleranceParameter,
    ]

    package let name: Label
    let url: RedisURL
    let command: [String]
    let every: Span
    let timeout: Span
    let tolerance: Comparison?

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        url = reader.value(Self.urlParameter)
        command = reader.value(Self.commandParameter)
        every = reader.value(Self.everyParameter)
        timeout = reader.value(Self.timeoutParameter)
        tolerance = reader.value(Self.toleranceParameter)
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
        if command.isEmpty {
            reader.diagnostics.error(
                "a command has at least its name", at: reader.location(of: Self.commandParameter.key))
        }
        // Afterwards the server sends more than answers, which nobody would read.
        if let verb = command.first?.uppercased(), ["SUBSCRIBE", "PSUBSCRIBE", "MONITOR"].contains(verb) {
            reader.diagnostics.error(
                "\(verb) has no answer to compare", at: reader.location(of: Self.commandParameter.key))
        }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(RedisClient.self)
            let deadline = context.time.now + timeout + .seconds(3)
            _ = try await client.session(url, in: context, until: deadline, "the command at \(url) failed") {
                connection throws(RedisError) in
                try await connection.call(command, until: deadline)
            }
            return []
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        CommandSession(self, try context.system.services.require(RedisClient.self), context.system)
    }
}
