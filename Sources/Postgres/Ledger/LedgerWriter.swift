internal import Basics
internal import Contracts

/// Makes single writes on one path and reports each as an operation. Runs on the connections' thread.
actor LedgerWriter {
    private nonisolated let client: PostgresClient
    private let probe: Label
    private let path: Label
    /// The node that this path always leads to; empty for an endpoint.
    private let fixedNode: Label
    private let table: LedgerTable
    private let payload: String?
    private let timeout: Span
    private let pool: ConnectionPool
    private let directory: NodeDirectory
    private let milestones: LedgerMilestones
    private let context: SystemContext
    /// Labels of servers seen on this path, by what an acknowledgement says; spares the lookup for each write.
    private var seen: [[String?]: Label] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    init(
        _ client: PostgresClient, probe: Label, path: Label, node: Label = .none, table: LedgerTable,
        settings: LedgerSettings, pool: ConnectionPool, directory: NodeDirectory, milestones: LedgerMilestones,
        context: SystemContext
    ) {
        self.client = client
        self.probe = probe
        self.path = path
        fixedNode = node
        self.table = table
        payload = settings.payload.bytes > 0 ? String(repeating: "x", count: Int(settings.payload.bytes)) : nil
        timeout = settings.timeout
        self.pool = pool
        self.directory = directory
        self.milestones = milestones
        self.context = context
    }

    /// One arrival from due to judged. Ignores cancellation: a write that was begun is waited for, at most its timeout.
    func write(_ sequence: Int64, due: Instant) async {
        let deadline = due + timeout
        guard let permit = await pool.permit(until: deadline) else {
            return record(sequence, due, sent: nil, end: context.time.now, .unsent, node: fixedNode)
        }
        let sent = context.time.now
        var connection: PostgresConnection?
        do throws(PostgresError) {
            let opened = try await pool.redeem(permit, until: deadline)
            connection = opened
            let result = try await opened.query(
                table.insertion, [String(sequence), path.text, payload], until: deadline, .ignored)
            let end = result.endedAt ?? context.time.now
            await pool.finish(opened)
            let node = await node(of: result)
            record(sequence, due, sent: sent, end: end, .acknowledged(notices: result.notices), node: node)
        } catch {
            let end = error.endedAt ?? context.time.now
            await discard(connection, after: error)
            record(sequence, due, sent: sent, end: end, .failed(error), node: fixedNode)
        }
    }

    /// A kept connection to a server that became read-only would fail for ever: it is closed, as drivers do.
    private func discard(_ connection: PostgresConnection?, after error: PostgresError) async {
        if error.sqlState == "25006" { await connection?.close() }
        await pool.finish(connection)
    }

    private func node(of result: QueryResult) async -> Label {
        guard let row = result.rows.first, let incarnation = result[0, 0], let address = result[0, 1] else {
            return fixedNode
        }
        if let label = seen[row] { return label }
        let identity = ServerIdentity(incarnation: incarnation, address: address)
        let label = fixedNode.isEmpty ? await directory.label(of: identity) : fixedNode
        if !label.isEmpty { seen[row] = label }
        milestones.acknowledged(by: label.isEmpty ? Label(address) : label, timeline: result[0, 2] ?? "", path: path)
        return label
    }

    private func record(
        _ sequence: Int64, _ due: Instant, sent: Instant?, end: Instant, _ evidence: WriteEvidence, node: Label
    ) {
        let judgement = WriteJudgement(evidence)
        context.record(
            .operation(
                Operation(
                    probe: probe, path: path, node: node, action: .write, sequence: sequence, due: due, sent: sent,
                    end: end, outcome: judgement.outcome, reason: judgement.reason)))
    }
}
