package import Basics
package import Contracts
package import Experiment

/// Makes a Redis sleep: its one thread does nothing at all, replication included.
package struct DebugSleepFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var milliseconds: Int64
    }

    package static let kind = "redis.debug-sleep"
    package static let manual = Manual(
        summary: "Blocks a Redis for a while with DEBUG SLEEP, as a slow command would.",
        details: """
            The server does nothing for the time of `for`: no answers, no replication, no heartbeat. Nobody can end it early, \
            and it ends by itself. The effect is that another connection gets no answer to PING meanwhile. Redis 7 allows DEBUG \
            only with enable-debug-command (yes, or local for connections over loopback); without it the fault is refused.
            """,
        example: """
            - {name: hiccup, fault: redis.debug-sleep, target: primary, for: 3s}
            """)
    private static let forParameter = Parameter<Span>.required("for", .span, "How long the server sleeps.")
    package static let parameters: [any AnyParameter] = [forParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private static let look = Span.milliseconds(100)

    private let span: Span

    package init(from reader: inout ParameterReader) {
        span = reader.value(Self.forParameter)
        if span < .milliseconds(500) || span > .seconds(600) {
            reader.diagnostics.error("for must be from 500ms to 10m", at: reader.location(of: Self.forParameter.key))
        }
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "DEBUG SLEEP \(span.seconds) on \(target.name)", undo: "it ends by itself",
            privileges: ["+debug +ping +config|get, and enable-debug-command"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        try await target.call(["PING"], in: context, "asking whether it is awake")
        let setting = try await target.call(
            ["CONFIG", "GET", "enable-debug-command"], in: context, "reading a setting")
        if namedValues(setting)["enable-debug-command"]?.text == "no" {
            throw FaultError(
                .denied, "\(target.node) does not allow DEBUG",
                advice: "set enable-debug-command to yes in its redis.conf; it cannot be set at run time")
        }
        return Undo(target: target, milliseconds: span.nanoseconds / 1_000_000)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let (target, begun) = (undo.target, context.time.now)
        let client = try context.services.require(RedisClient.self)
        let seconds = "\(Double(undo.milliseconds) / 1_000)"
        return try await target.session(in: context, "putting to sleep") { sleeper, deadline throws(RedisError) in
            let other = try await client.connect(target.url, context.secrets, until: deadline)
            let effect = await withTaskGroup(of: Effect?.self) { group in
                group.addTask { await Self.refusal(of: ["DEBUG", "SLEEP", seconds], by: sleeper, undo, context) }
                group.addTask { await Self.silence(of: other, since: begun, undo, context) }
                var found: Effect?
                while found == nil, let next = await group.next() { found = next }
                group.cancelAll()
                return found
            }
            await other.close()
            return effect ?? .unproven("\(target.node) was told to sleep, and went on answering")
        }
    }

    /// What the server says instead of sleeping; nil when it sleeps.
    private static func refusal(
        of command: [String], by connection: RedisConnection, _ undo: Undo, _ context: SystemContext
    ) async -> Effect? {
        do throws(RedisError) {
            _ = try await connection.call(command, until: context.time.now + .milliseconds(undo.milliseconds + 2_000))
            return nil
        } catch {
            return error.code == .server ? .unproven("\(undo.target.node) refused: \(error.message)") : nil
        }
    }

    /// Confirmed when a PING gets no answer.
    private static func silence(
        of connection: RedisConnection, since begun: Instant, _ undo: Undo, _ context: SystemContext
    ) async -> Effect? {
        let end = begun + .milliseconds(undo.milliseconds)
        var last = begun
        while context.time.now < end {
            let sent = context.time.now
            do throws(RedisError) {
                _ = try await connection.call(["PING"], until: sent + look)
                last = sent
            } catch {
                guard error.code == .timeout else { return nil }
                // The question may have come before the sleep, so its end is the bound.
                return .confirmed(
                    InstantRange(last, error.endedAt ?? context.time.now),
                    evidence: "\(undo.target.node) does not answer PING within \(look)")
            }
        }
        return nil
    }

    /// Nothing to do: it wakes up by itself.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    /// Whether it still sleeps: it answers nobody. Its sleep ends with its process.
    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        do throws(FaultError) {
            try await undo.target.call(
                ["PING"], in: context, "asking whether it is awake", patience: .milliseconds(500))
            return nil
        } catch  where error.code == .timeout || error.code == .unreachable {
            if error.code == .unreachable { return nil }
            return Leftover(kind: kind, target: undo.target.node, description: "it does not answer", commands: [])
        }
    }

    package static func lateEffect(of undo: Undo) -> Span { .milliseconds(undo.milliseconds) + .seconds(1) }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }
}
