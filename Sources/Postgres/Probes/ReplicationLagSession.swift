internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// The replication-lag probe at work: one writer, one reader per node.
final class ReplicationLagSession: ProbeSession {
    private let probe: ReplicationLagProbe
    private let owned: OwnedSchema
    private let mutation: MutationID
    private let client: PostgresClient
    private let context: ProbeContext
    private let log = Mutex(HeartbeatLog())

    init(
        _ probe: ReplicationLagProbe, _ owned: OwnedSchema, _ mutation: MutationID, _ client: PostgresClient,
        _ context: ProbeContext
    ) {
        self.probe = probe
        self.owned = owned
        self.mutation = mutation
        self.client = client
        self.context = context
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.beat() }
            for node in probe.nodes {
                group.addTask { await self.watch(Label(node.name), node.value.dsn) }
            }
        }
    }

    func close() async throws(FaultError) {
        try await owned.drop(in: context.system)
        if let leftover = try await owned.leftover(kind: LagSchema.kind, in: context.system) {
            throw FaultError(
                .unexpected, "probe \(probe.name): \(leftover.description) is still there after its removal",
                advice: owned.manual)
        }
        try await context.closeJournal(mutation)
    }

    private func beat() async {
        let session = KeptSession(client, probe.dsn, context.system.secrets)
        var number: Int64 = 0
        let time = context.system.time
        await time.everyTick(probe.every) {
            let now = time.now
            number += 1
            let result = try? await session.query(
                "UPDATE \(self.owned.schema).heartbeat SET beat = $1", [String(number)], until: now + self.probe.timeout
            )
            // A warning means that the standby was not waited for: whether the beat is safe is unknown.
            guard let result, result.result.commandTag == "UPDATE 1",
                !result.result.notices.contains(where: { $0.severity == "WARNING" })
            else { return }
            let acknowledged = self.context.system.time.now
            self.log.withLock { $0.acknowledge(number, at: acknowledged) }
        }
        await session.close()
    }

    private func watch(_ node: Label, _ dsn: DSN) async {
        let session = KeptSession(client, dsn, context.system.secrets)
        var seen: Int64 = 0
        var isPrimary = false
        let query = "SELECT pg_is_in_recovery(), (SELECT max(beat) FROM \(owned.schema).heartbeat)"
        let time = context.system.time
        await time.everyTick(probe.every) {
            let now = time.now
            do throws(PostgresError) {
                let answer = try await session.query(query, until: now + self.probe.timeout).result
                isPrimary = answer.boolean(0, 0) == false
                seen = answer.integer(0, 1) ?? seen
                if !isPrimary { self.report(node, seeing: seen, at: now, isCensored: false) }
            } catch {
                guard error.code != .cancelled else { return }
                // The table has not arrived yet: that is lag. Anything else: at least what was known before.
                let isMissing = error.sqlState == "42P01" || error.sqlState == "3F000"
                // When the node does not answer, the wait itself has made it older.
                let at = isMissing ? now : self.context.system.time.now
                if !isPrimary { self.report(node, seeing: seen, at: at, isCensored: !isMissing) }
            }
        }
        await session.close()
    }

    private func report(_ node: Label, seeing beat: Int64, at instant: Instant, isCensored: Bool) {
        let lag = log.withLock {
            $0.lag(of: node, seeing: beat, at: instant, isCensored: isCensored, probe.name)
        }
        if let lag { context.system.record(.measurement(lag)) }
    }
}
