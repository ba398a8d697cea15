internal import Basics
package import Contracts
package import Experiment

/// Ends client connections on a node, all or those of one database, user or application.
package struct TerminateBackendsFault: Fault {
    /// On which node it was. Ended connections cannot be brought back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: PostgresTarget
    }

    package static let kind = "postgres.terminate-backends"
    package static let manual = Manual(
        summary: "Ends client connections of a PostgreSQL node with pg_terminate_backend.",
        details: """
            Ends every client backend that matches `database`, `user` and `application`; without any of them all but its \
            own. The probes' connections are clients like any other. The effect is that exactly these backends, by pid and \
            start time, are gone from pg_stat_activity. There must be at least one when the fault is injected.

            There is nothing to undo: clients connect again, which is what is being tested.
            """,
        example: """
            - {name: cut-clients, fault: postgres.terminate-backends, target: primary, application: orders}
            """)
    private static let databaseParameter = Parameter<String?>.optional("database", .text, "Only of this database.")
    private static let userParameter = Parameter<String?>.optional("user", .text, "Only of this user.")
    private static let applicationParameter = Parameter<String?>.optional(
        "application", .text, "Only of this application_name.")
    package static let parameters: [any AnyParameter] = [databaseParameter, userParameter, applicationParameter]
    package static let requires: Set<Target.Attribute> = [.postgresDSN]

    private let database: String?
    private let user: String?
    private let application: String?

    package init(from reader: inout ParameterReader) {
        self.init(
            database: reader.value(Self.databaseParameter), user: reader.value(Self.userParameter),
            application: reader.value(Self.applicationParameter))
    }

    package init(database: String? = nil, user: String? = nil, application: String? = nil) {
        self.database = database
        self.user = user
        self.application = application
    }

    private static let matching = """
        FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
            AND ($1::text IS NULL OR datname = $1) AND ($2::text IS NULL OR usename = $2)
            AND ($3::text IS NULL OR application_name = $3)
        """
    private var filter: [String?] { [database, user, application] }

    private var filterText: String {
        let parts = [("database", database), ("user", user), ("application", application)]
        let text = parts.compactMap { name, value in value.map { "\(name) \($0)" } }.joined(separator: ", ")
        return text.isEmpty ? "all clients" : text
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "terminate backends of \(target.name): \(filterText)",
            undo: "none needed: clients connect again",
            privileges: ["pg_signal_backend (superuser for backends of superusers)"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try PostgresTarget(target)
        let count = try await target.query("SELECT count(*) \(Self.matching)", filter, in: context, "counting backends")
        guard (count.integer(0, 0) ?? 0) > 0 else {
            throw FaultError(
                .notApplicable, "\(target.node) has no client backend that matches (\(filterText))",
                advice: target.psql("SELECT pid, datname, usename, application_name FROM pg_stat_activity"))
        }
        return Undo(target: target)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let target = undo.target
        let filter = filter
        let begun = context.time.now
        let ended = try await target.query(
            "SELECT pid, backend_start, pg_terminate_backend(pid) \(Self.matching)", filter, in: context,
            "terminating backends")
        let victims = ended.rows.filter { $0.count == 3 && $0[2] == "t" }.map { "\($0[0] ?? "") \($0[1] ?? "")" }
        guard !victims.isEmpty else {
            return .unproven("no client backend of \(target.node) matched (\(filterText)) any more")
        }
        let watch = EffectWatch(context, within: PostgresTarget.patience)
        let range = try await watch.firstTime(since: begun) { () async throws(FaultError) -> Bool in
            let left = try await target.query(
                "SELECT pid, backend_start FROM pg_stat_activity", in: context, "looking for the terminated backends")
            let present = Set(left.rows.map { "\($0[0] ?? "") \($0[1] ?? "")" })
            return present.isDisjoint(with: victims)
        }
        guard let range else { return .unproven("some of \(victims.count) backends of \(target.node) are still there") }
        return .confirmed(range, evidence: "\(victims.count) backends of \(target.node) are gone")
    }

    /// Nothing to do: clients connect again by themselves.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }
}
