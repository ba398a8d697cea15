internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// A ledger at work: paces the writes of all its paths, reads back, and removes its schema.
final class LedgerSession: ProbeSession {
    /// One way to the database with its pace.
    private struct Lane: Sendable {
        var writer: LedgerWriter
        var pool: ConnectionPool
    }

    private let name: Label
    private let settings: LedgerSettings
    private let context: ProbeContext
    private let client: PostgresClient
    private let table: LedgerTable
    private let owned: OwnedSchema
    private let mutation: MutationID
    private let directory: NodeDirectory
    private let endpointLanes: [Lane]
    private let directLanes: [Lane]
    /// One counter for all paths: a sequence names one write of the run.
    private let nextSequence = Atomic<Int64>(1)

    /// Journals the schema, creates it, and learns which server is which node.
    static func start(
        _ name: Label, _ settings: LedgerSettings, _ endpoint: LedgerEndpoint, _ client: PostgresClient,
        _ context: ProbeContext
    ) async throws(FaultError) -> LedgerSession {
        let table = LedgerTable(run: context.system.run, probe: name.text)
        let owned = OwnedSchema(
            schema: table.schema, mark: table.mark, dsn: settings.dsn, nodes: settings.nodes.map(\.value.dsn))
        let undo = try journalled(owned)
        let mutation = try await context.journal(LedgerSchema.kind, settings.dsn.text, undo)
        let deadline = context.system.time.now + .seconds(10)
        let action = "schema \(table.schema) could not be created at \(settings.dsn)"
        _ = try await client.session(settings.dsn, in: context.system, until: deadline, action) {
            connection throws(PostgresError) in
            try await connection.execute(
                script: table.creation(knowsTimeline: endpoint.knowsTimeline), until: deadline)
        }
        let session = LedgerSession(name, settings, endpoint, client, context, table, owned, mutation)
        await session.directory.refresh()
        return session
    }

    private init(
        _ name: Label, _ settings: LedgerSettings, _ endpoint: LedgerEndpoint, _ client: PostgresClient,
        _ context: ProbeContext, _ table: LedgerTable, _ owned: OwnedSchema, _ mutation: MutationID
    ) {
        self.name = name
        self.settings = settings
        self.context = context
        self.client = client
        self.table = table
        self.owned = owned
        self.mutation = mutation
        let system = context.system
        directory = NodeDirectory(client, system.secrets, nodes: settings.nodes, time: system.time)
        let directory = directory
        let milestones = LedgerMilestones(probe: name, context: system)
        func lane(_ dsn: DSN, _ reuse: ConnectionPool.Reuse, limit: Int, path: Label, node: Label) -> Lane {
            let pool = ConnectionPool(client, dsn, system.secrets, reuse: reuse, limit: limit, time: system.time)
            let writer = LedgerWriter(
                client, probe: name, path: path, node: node, table: table, settings: settings, pool: pool,
                directory: directory, milestones: milestones, context: system)
            return Lane(writer: writer, pool: pool)
        }
        let pools = settings.connections.pools
        endpointLanes = pools.map { reuse in
            lane(
                settings.dsn, reuse, limit: endpoint.sizing.limit / pools.count, path: Label(reuse.rawValue),
                node: .none)
        }
        let directLimit = PoolSizing.needed(rate: settings.directRate, timeout: settings.timeout)
        directLanes = settings.direct.map { node in
            lane(
                node.value.dsn, .kept, limit: directLimit, path: Label("direct:\(node.name)"), node: Label(node.name))
        }
    }

    func run() async {
        let start = context.system.time.now
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pace(self.endpointLanes, OpenLoop(start: start, rate: self.settings.rate)) }
            for (index, lane) in directLanes.enumerated() {
                // Writers of different nodes are spread over the interval, so that they do not wake all at once.
                let offset = settings.directRate.interval * Int64(index) / Int64(max(1, directLanes.count))
                group.addTask {
                    await self.pace([lane], OpenLoop(start: start + offset, rate: self.settings.directRate))
                }
            }
        }
        for lane in endpointLanes + directLanes { await lane.pool.close() }
    }

    /// Hands each arrival to the next lane in turn; after cancellation waits for the writes that are under way.
    private func pace(_ lanes: [Lane], _ loop: OpenLoop) async {
        await withDiscardingTaskGroup { group in
            await loop.run(
                time: context.system.time, onStall: { context.system.record(.stall($0)) },
                { arrival in
                    let writer = lanes[Int(arrival.number) % lanes.count].writer
                    let sequence = nextSequence.wrappingAdd(1, ordering: .relaxed).oldValue
                    group.addTask { await writer.write(sequence, due: arrival.due) }
                })
        }
    }

    func snapshot() async {
        let reader = LedgerReader(name, settings, table, directory, client, context.system)
        await reader.readNodes(.evidence)
    }

    func collect() async {
        let reader = LedgerReader(name, settings, table, directory, client, context.system)
        await reader.readAll()
    }

    func close() async throws(FaultError) {
        try await owned.drop(in: context.system)
        if let leftover = try await owned.leftover(kind: LedgerSchema.kind, in: context.system) {
            throw FaultError(
                .unexpected, "probe \(name): \(leftover.description) is still there after its removal",
                advice: owned.manual)
        }
        try await context.closeJournal(mutation)
    }
}

/// An undo as the journal takes it.
func journalled(_ undo: some Encodable) throws(FaultError) -> JSONValue {
    do {
        return try JSONValue(encoding: undo)
    } catch {
        throw FaultError(.unexpected, "the undo cannot be written as JSON: \(error)")
    }
}
