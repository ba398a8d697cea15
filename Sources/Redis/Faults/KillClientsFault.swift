internal import Basics
package import Contracts
package import Experiment

/// Ends client connections of a Redis, all or those of one user or one name.
package struct KillClientsFault: Fault {
    /// On which node it was. Ended connections cannot be brought back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
    }

    package static let kind = "redis.kill-clients"
    package static let manual = Manual(
        summary: "Ends client connections of a Redis with CLIENT KILL.",
        details: """
            Ends every normal client that matches `user` and `name`, and with `type: pubsub` or `replica` those; without \
            any of them all normal ones but its own. The probes' connections are clients like any other. The effect is that \
            exactly these connections, by their ids, are gone from CLIENT LIST. There must be at least one when the fault is \
            injected.

            There is nothing to undo: clients connect again, which is what is being tested.
            """,
        example: """
            - {name: cut-clients, fault: redis.kill-clients, target: primary, user: app}
            """)
    private static let userParameter = Parameter<String?>.optional("user", .text, "Only of this ACL user.")
    private static let nameParameter = Parameter<String?>.optional("name", .text, "Only with this CLIENT SETNAME.")
    private static let typeParameter = Parameter<String>.defaulted(
        "type", .word(["normal", "pubsub", "replica"]), to: "normal", written: "normal", "Which sort of connections.")
    package static let parameters: [any AnyParameter] = [userParameter, nameParameter, typeParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private let user: String?
    private let clientName: String?
    private let type: String

    package init(from reader: inout ParameterReader) {
        user = reader.value(Self.userParameter)
        clientName = reader.value(Self.nameParameter)
        type = reader.value(Self.typeParameter)
    }

    package var persistence: Persistence { .passing }

    private var filterText: String {
        let parts = [user.map { "user \($0)" }, clientName.map { "name \($0)" }].compactMap(\.self)
        return ([type] + parts).joined(separator: ", ")
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "end client connections of \(target.name): \(filterText)",
            undo: "none needed: clients connect again", privileges: ["+client|list +client|id +client|kill"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let matching = try await target.session(in: context, "listing clients") {
            connection, deadline throws(RedisError) -> Set<String> in
            try await self.matching(connection, deadline)
        }
        guard !matching.isEmpty else {
            throw FaultError(
                .notApplicable, "\(target.node) has no client that matches (\(filterText))",
                advice: target.command(["CLIENT", "LIST"]))
        }
        return Undo(target: target)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        return try await target.session(in: context, "ending clients") { connection, deadline throws(RedisError) in
            let begun = context.time.now
            let victims = try await matching(connection, deadline)
            guard !victims.isEmpty else {
                return .unproven("no client of \(target.node) matched (\(filterText)) any more")
            }
            let kills = victims.sorted().map { ["CLIENT", "KILL", "ID", $0] }
            let killed = try await connection.call(pipeline: kills, until: deadline).values.reduce(0) {
                $0 + ($1.integer ?? 0)
            }
            guard killed > 0 else { return .unproven("the clients of \(target.node) had left by themselves") }
            let left = try await ids(["CLIENT", "LIST"], connection, deadline).intersection(victims)
            guard left.isEmpty else { return .unproven("\(left.count) of \(victims.count) clients are still there") }
            return .confirmed(
                InstantRange(begun, context.time.now),
                evidence: "\(killed) client connections of \(target.node) were ended and are gone")
        }
    }

    /// The ids of those that match, but not of this connection.
    private func matching(_ connection: RedisConnection, _ deadline: Instant) async throws(RedisError) -> Set<String> {
        let own = try await connection.call(["CLIENT", "ID"], until: deadline).integer.map { "\($0)" }
        var ids = try await ids(["CLIENT", "LIST", "TYPE", type], connection, deadline)
        if let own { ids.remove(own) }
        return ids
    }

    private func ids(
        _ command: [String], _ connection: RedisConnection, _ deadline: Instant
    ) async throws(RedisError) -> Set<String> {
        let list = try await connection.call(command, until: deadline).text ?? ""
        let isWhole = command.count == 2
        return Set(
            list.split(whereSeparator: \.isNewline).compactMap { line -> String? in
                let fields = Dictionary(
                    line.split(separator: " ").map { field in
                        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
                    }
                ) { first, _ in first }
                let isOfUser = user.map { fields["user"] == $0 } ?? true
                let isNamed = clientName.map { fields["name"] == $0 } ?? true
                return isWhole || (isOfUser && isNamed) ? fields["id"] : nil
            })
    }

    /// Nothing to do: clients connect again by themselves.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }
}
