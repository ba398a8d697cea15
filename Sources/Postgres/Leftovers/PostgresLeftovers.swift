internal import Basics
package import Contracts

/// What of ours stands in the databases that journals and experiments name: schemas and settings with our mark.
package struct PostgresLeftovers: LeftoverScanner {
    package init() {}

    private static let patience = Span.seconds(5)

    /// Schemas by their comment, and the cut in the settings' files (shown to superusers only) or in force. Backslashes:
    /// an underscore matches any character. What a replica shows of schemas is its primary's.
    private static let query = #"""
        SELECT 'schema', nspname, coalesce(obj_description(oid, 'pg_namespace'), '')
        FROM pg_namespace
        WHERE nspname LIKE 'squall\_%' AND obj_description(oid, 'pg_namespace') LIKE 'squall run=%'
            AND NOT pg_is_in_recovery()
        UNION
        SELECT 'setting', name, setting FROM pg_settings
        WHERE name = 'primary_slot_name' AND setting LIKE 'squall\_cut\_%'
        """#
    private static let fileQuery = #"""
        SELECT 'setting', name, setting FROM pg_file_settings
        WHERE name = 'primary_slot_name' AND setting LIKE 'squall\_cut\_%'
        """#

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        let servers = KnownServer.all(in: known.places)
        // Side by side: among the databases of old runs many may be gone, and each of those costs its whole patience.
        return await withTaskGroup(of: (Int, SystemScan).self) { group in
            for (number, server) in servers.enumerated() {
                var context = context
                context.secrets = server.secrets
                group.addTask { [context] in (number, await scan(server.dsn, known, context)) }
            }
            var scans: [(Int, SystemScan)] = []
            for await result in group { scans.append(result) }
            return scans.sorted { $0.0 < $1.0 }.map { $0.1 }
        }
    }

    private func scan(_ dsn: DSN, _ known: KnownSystems, _ context: SystemContext) async -> SystemScan {
        let system = "postgres '\(dsn)'"
        do throws(FaultError) {
            let client = try context.services.require(PostgresClient.self)
            let deadline = context.time.now + Self.patience
            let rows = try await client.session(dsn, in: context, until: deadline, "looking for marks on \(dsn) failed")
            {
                connection throws(PostgresError) in
                var rows = try await connection.query(Self.query, until: deadline).rows
                let isSuper = try await connection.query("SELECT current_setting('is_superuser')", until: deadline)
                if isSuper[0, 0] == "on" { rows += try await connection.query(Self.fileQuery, until: deadline).rows }
                return rows
            }
            return SystemScan(system: system, marks: Set(rows).compactMap { mark($0, dsn, known) }.sorted())
        } catch {
            return SystemScan(system: system, failure: "\(error)")
        }
    }

    private func mark(_ row: [String?], _ dsn: DSN, _ known: KnownSystems) -> SystemScan.Mark? {
        guard row.count == 3, let name = row[1], let value = row[2] else { return nil }
        if row[0] == "schema" {
            let run = value.split(separator: " ").first { $0.hasPrefix("run=") }?.dropFirst(4)
            let leftover = Leftover(
                kind: LedgerSchema.kind, target: dsn.text, description: "schema \(name) ('\(value)')",
                commands: ["psql '\(dsn)' -c 'DROP SCHEMA IF EXISTS \(name) CASCADE'"])
            return SystemScan.Mark(leftover, run: run.map { known.run(marked: String($0)) })
        }
        let target = PostgresTarget(node: dsn.text, dsn: dsn)
        let leftover = Leftover(
            kind: CutReplicationFault.kind, target: dsn.text, description: "primary_slot_name is '\(value)'",
            commands: [target.psql("ALTER SYSTEM RESET primary_slot_name"), target.psql("SELECT pg_reload_conf()")])
        return SystemScan.Mark(leftover, run: known.run(marked: String(value.dropFirst("squall_cut_".count))))
    }
}

extension KnownSystems {
    /// The run whose id, as an identifier, a mark holds or begins with; else what the mark says.
    func run(marked text: String) -> String { runs.first { identifier($0).hasPrefix(text) } ?? text }
}

extension SystemScan.Mark {
    fileprivate static func precedes(_ first: Self, _ second: Self) -> Bool {
        (first.leftover.kind, first.leftover.description) < (second.leftover.kind, second.leftover.description)
    }
}

extension [SystemScan.Mark] {
    fileprivate func sorted() -> [SystemScan.Mark] { sorted(by: Element.precedes) }
}
