internal import Basics
internal import Contracts
internal import Experiment

/// Reads what each node holds of a ledger, and which of them clients reach.
struct LedgerReader: Sendable {
    /// What one server holds.
    private struct Content: Sendable {
        var identity: ServerIdentity
        var isInRecovery: Bool
        var timeline: Int64?
        var present: [ClosedRange<Int64>]
        var duplicated: [Int64]
        var at: Instant
    }

    /// Evidence is read while a heal waits for it; the final reads may wait for a node that just came back.
    private static let evidencePatience = Span.seconds(5)
    private static let finalPatience = Span.seconds(10)
    /// What is lost cannot be said without the endpoint, so it is given longer.
    private static let authorityPatience = Span.seconds(30)
    /// One attempt; a million rows are read in about a second.
    private static let attempt = Span.seconds(15)

    private let name: Label
    private let settings: LedgerSettings
    private let table: LedgerTable
    private let directory: NodeDirectory
    private let client: PostgresClient
    private let context: SystemContext

    init(
        _ name: Label, _ settings: LedgerSettings, _ table: LedgerTable, _ directory: NodeDirectory,
        _ client: PostgresClient, _ context: SystemContext
    ) {
        self.name = name
        self.settings = settings
        self.table = table
        self.directory = directory
        self.client = client
        self.context = context
    }

    /// The content of every declared node, side by side; a node that cannot be read is reported as such.
    func readNodes(_ stage: ReadBack.Stage, except authority: Label? = nil) async {
        let patience = stage == .evidence ? Self.evidencePatience : Self.finalPatience
        let deadline = context.time.now + patience
        await withDiscardingTaskGroup { group in
            for node in settings.nodes where Label(node.name) != authority {
                group.addTask {
                    let content = await self.read(node.value.dsn, until: deadline, asPrimary: false)
                    self.report(Label(node.name), stage, isAuthoritative: false, content)
                }
            }
        }
    }

    /// The authoritative content through the endpoint, and beside it that of every node.
    func readAll() async {
        let deadline = context.time.now + Self.authorityPatience
        let content = await read(settings.dsn, until: deadline, asPrimary: true)
        var authority: Label?
        switch content {
        case .success(let content):
            let label = await directory.label(of: content.identity)
            authority = label.isEmpty ? Label(content.identity.address) : label
        case .failure: break
        }
        report(authority ?? "endpoint", .final, isAuthoritative: true, content)
        await readNodes(.final, except: authority)
    }

    private func report(
        _ node: Label, _ stage: ReadBack.Stage, isAuthoritative: Bool, _ content: Result<Content, PostgresError>
    ) {
        var readBack = ReadBack(
            probe: name, node: node, stage: stage, at: context.time.now, isAuthoritative: isAuthoritative, present: [])
        switch content {
        case .success(let content):
            readBack.at = content.at
            readBack.present = content.present
            readBack.duplicated = content.duplicated
            readBack.generation = content.timeline
        case .failure(let error): readBack.failure = context.secrets.redact("\(error)")
        }
        context.record(.readBack(readBack))
    }

    /// Tries until the deadline; a read is without effect, so it may be repeated after any failure.
    private func read(
        _ dsn: DSN, until deadline: Instant, asPrimary: Bool
    ) async -> Result<Content, PostgresError> {
        while true {
            let failure: PostgresError
            do throws(PostgresError) {
                let content = try await readOnce(dsn, until: min(deadline, context.time.now + Self.attempt))
                if !asPrimary || !content.isInRecovery { return .success(content) }
                failure = PostgresError(
                    .unreachable, phase: .statement, message: "the endpoint leads to a replica", subject: dsn.text)
            } catch {
                failure = error
            }
            // An undefined table is an answer: the node was split off before the ledger began.
            let isFinal = failure.sqlState.hasPrefix("42") || failure.code == .invalidDSN
            let pause = Span.milliseconds(250)
            if isFinal || context.time.now + pause >= deadline { return .failure(failure) }
            do throws(CancellationError) {
                try await context.time.sleep(for: pause)
            } catch {
                return .failure(failure)
            }
        }
    }

    private func readOnce(_ dsn: DSN, until deadline: Instant) async throws(PostgresError) -> Content {
        let connection = try await client.connect(dsn, context.secrets, until: deadline)
        do throws(PostgresError) {
            let server = try await connection.query(NodeState.query, until: deadline)
            let identity = try await connection.query(
                "SELECT \(ServerIdentity.incarnationSQL), \(ServerIdentity.addressSQL)", until: deadline)
            let rows = try await connection.query(table.reading, until: deadline)
            await connection.close()
            let state = NodeState(server)
            return Content(
                identity: ServerIdentity(incarnation: identity[0, 0] ?? "", address: identity[0, 1] ?? ""),
                isInRecovery: state?.isInRecovery ?? true, timeline: state?.timeline, present: ranges(rows),
                duplicated: duplicates(rows), at: context.time.now)
        } catch {
            await connection.close()
            throw error
        }
    }

    private func ranges(_ rows: QueryResult) -> [ClosedRange<Int64>] {
        rows.rows.indices.compactMap { row in
            guard let first = rows.integer(row, 0), let last = rows.integer(row, 1), first <= last else { return nil }
            return first...last
        }
    }

    private func duplicates(_ rows: QueryResult) -> [Int64] {
        rows.rows.indices.flatMap { row in
            (rows[row, 2] ?? "").split(separator: ",").compactMap { Int64($0) }
        }
    }
}
