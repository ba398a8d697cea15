internal import Basics
package import Contracts
package import Experiment

/// Makes a Redis hold back its clients' commands: it is there, and does not answer.
package struct ClientPauseFault: Fault {
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        case write
        case all
    }

    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var process: String
        package var mode: Mode
        /// The pause ends by itself after so many milliseconds.
        package var milliseconds: Int64
    }

    package static let kind = "redis.client-pause"
    package static let manual = Manual(
        summary: "Holds back commands of all clients of a Redis with CLIENT PAUSE, writes only or all.",
        details: """
            With `mode: write` reads are answered and writes wait; with `mode: all` everything waits, PING included, while \
            replication goes on: a primary that Sentinels take for dead and that knows nothing of it. The effect is shown \
            from a connection of its own: a PUBLISH on a channel of ours (it changes no key, and waits like a write) or a \
            PING gets no answer.

            The server ends the pause by itself after `at-most`, whatever becomes of Squall. Healing a pause of writes sends \
            CLIENT UNPAUSE. A pause of everything holds back that, too (Redis 7.0): healing waits until it is over, so give \
            it an `at-most` no longer than the fault shall last. A server that is paused already is refused.
            """,
        example: """
            - {name: hold, fault: redis.client-pause, target: primary, duration: 5s, at-most: 10s}
            """)
    private static let modeParameter = Parameter<Mode>.defaulted(
        "mode", .choice(.write), to: .write, written: "write", "What waits: writes, or all commands.")
    private static let mostParameter = Parameter<Span>.defaulted(
        "at-most", .span, to: .seconds(30), written: "30s", "After this the server ends the pause by itself.")
    package static let parameters: [any AnyParameter] = [modeParameter, mostParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private static let longest = Span.seconds(600)
    /// Nobody can end it early, and whatever else is to be healed waits for it.
    private static let longestOfAll = Span.seconds(60)
    /// An answer that takes longer was held back.
    private static let look = Span.milliseconds(200)
    private static let channel = "squall:pause"

    private let mode: Mode
    private let most: Span

    package init(from reader: inout ParameterReader) {
        mode = reader.value(Self.modeParameter)
        most = reader.value(Self.mostParameter)
        let longest = mode == .all ? Self.longestOfAll : Self.longest
        if most < .seconds(1) || most > longest {
            reader.diagnostics.error(
                "at-most must be from 1s to \(longest) with mode \(mode.rawValue)",
                at: reader.location(of: Self.mostParameter.key))
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "hold back \(mode == .write ? "writes" : "all commands") on \(target.name) for at most \(most)",
            undo: mode == .write ? "CLIENT UNPAUSE" : "it ends by itself after \(most)",
            privileges: ["+client|pause +client|unpause +publish on the channel \(Self.channel) +info"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let undo = Undo(
            target: target, process: try await target.process(in: context), mode: mode,
            milliseconds: most.nanoseconds / 1_000_000)
        if try await Self.isHeldBack(undo, context) {
            throw FaultError(
                .foreignState, "\(target.node) holds back commands already, and not because of this run",
                advice: target.command(["CLIENT", "UNPAUSE"]))
        }
        return undo
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let command = ["CLIENT", "PAUSE", "\(undo.milliseconds)", undo.mode.rawValue.uppercased()]
        let paused = try await undo.target.session(in: context, "pausing clients") {
            connection, deadline throws(RedisError) -> InstantRange? in
            let begun = context.time.now
            _ = try await connection.call(command, until: deadline)
            let ended = context.time.now
            // On the same connection: while all is held back, another one could not even log in.
            return try await Self.isHeldBack(undo.mode, on: connection, context) ? InstantRange(begun, ended) : nil
        }
        guard let paused else { return .unproven("\(undo.target.node) accepted the pause, and still answers") }
        let what = undo.mode == .write ? "a PUBLISH" : "a PING"
        return .confirmed(paused, evidence: "\(undo.target.node) does not answer \(what) within \(Self.look)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        // All is held back, even the question who is there: the pause runs out before anything is answered.
        let patience = Span.milliseconds(undo.milliseconds) + RedisTarget.patience
        let info = try await undo.target.call(
            ["INFO", "server"], in: context, "reading the run id", patience: patience)
        guard infoField("run_id", in: info.text ?? "") == undo.process, undo.mode == .write,
            try await isHeldBack(undo, context)
        else { return }
        try await undo.target.call(["CLIENT", "UNPAUSE"], in: context, "ending the pause", patience: patience)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        // A pause ends with its process. One of everything holds back the question who is there, too.
        if undo.mode == .write, try await !undo.target.isStill(undo.process, in: context) { return nil }
        guard try await isHeldBack(undo, context) else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node,
            description: "\(undo.mode == .write ? "writes wait" : "no command is answered")", commands: manualHeal(undo)
        )
    }

    package static func manualHeal(_ undo: Undo) -> [String] { [undo.target.command(["CLIENT", "UNPAUSE"])] }

    /// Whether a command that the pause holds back gets no answer.
    private static func isHeldBack(
        _ mode: Mode, on connection: RedisConnection, _ context: SystemContext
    ) async throws(RedisError) -> Bool {
        do throws(RedisError) {
            let command = mode == .write ? ["PUBLISH", channel, ""] : ["PING"]
            _ = try await connection.call(command, until: context.time.now + look)
            return false
        } catch {
            guard error.code == .timeout else { throw error }
            return true
        }
    }

    /// The same on a connection of its own.
    private static func isHeldBack(_ undo: Undo, _ context: SystemContext) async throws(FaultError) -> Bool {
        try await undo.target.session(in: context, "looking for the pause") { connection, _ throws(RedisError) in
            try await isHeldBack(undo.mode, on: connection, context)
        }
    }
}
