internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// The replication-lag probe at work: one writer, one reader per node.
final class ReplicationLagSession: ProbeSession {
    private let probe: ReplicationLagProbe
    private let owned: OwnedKeys
    private let mutation: MutationID
    private let client: RedisClient
    private let context: ProbeContext
    private let key: String
    private let log = Mutex(HeartbeatLog())
    /// Who has last called itself a primary: it has no lag.
    private let primary = Mutex(Label.none)

    init(
        _ probe: ReplicationLagProbe, _ owned: OwnedKeys, _ mutation: MutationID, _ client: RedisClient,
        _ context: ProbeContext
    ) {
        self.probe = probe
        self.owned = owned
        self.mutation = mutation
        self.client = client
        self.context = context
        key = owned.keys.name(of: 0)
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.beat() }
            for node in probe.nodes {
                group.addTask { await self.watch(Label(node.name), node.value) }
            }
        }
    }

    func close() async throws(FaultError) { try await owned.close(mutation, of: probe.name, in: context) }

    private func beat() async {
        let (time, secrets) = (context.system.time, context.system.secrets)
        let finder = PrimaryFinder(probe.primary, client, secrets)
        let shared = SharedConnection(client, time: time) { deadline throws(RedisError) in
            SharedConnection.Opened(connection: try await finder.connect(until: deadline).connection, node: .none)
        }
        var number: Int64 = 0
        await time.everyTick(probe.every) {
            let deadline = time.now + self.probe.timeout
            number += 1
            do throws(RedisError) {
                let opened = try await shared.opened(until: deadline)
                let answers = try await opened.connection.call(
                    pipeline: [["SET", self.key, "\(number)"]], until: deadline)
                guard case .status("OK") = answers.values.first else {
                    // It may have become a replica: the primary is looked for again.
                    return await shared.leave(opened.connection)
                }
                self.log.withLock { $0.acknowledge(number, at: answers.endedAt) }
            } catch {
                // A beat that nobody acknowledged is none: readers are measured by those that are.
            }
        }
        await shared.close()
    }

    private func watch(_ node: Label, _ url: RedisURL) async {
        let connections = KeptConnections(client, url, context.system.secrets)
        var seen: Int64 = 0
        let time = context.system.time
        await time.everyTick(probe.every) {
            let now = time.now
            do throws(RedisError) {
                let answers = try await connections.call(
                    pipeline: [["GET", self.key], ["ROLE"]], until: now + self.probe.timeout)
                if case .error(let text) = answers.values.first {
                    throw RedisError(answer: text, phase: .command, subject: "")
                }
                let isPrimary = answers.values.last?.array?.first?.text == "master"
                if isPrimary { self.primary.withLock { $0 = node } }
                seen = answers.values.first?.integer ?? 0
                if !isPrimary { self.report(node, seeing: seen, at: now, isCensored: false) }
            } catch {
                guard error.code != .cancelled else { return }
                // It does not answer: at least what was known before, and the wait itself has made it older.
                let wasPrimary = self.primary.withLock { $0 == node }
                if !wasPrimary { self.report(node, seeing: seen, at: time.now, isCensored: true) }
            }
        }
        await connections.close()
    }

    private func report(_ node: Label, seeing beat: Int64, at instant: Instant, isCensored: Bool) {
        let lag = log.withLock {
            $0.lag(of: node, seeing: beat, at: instant, isCensored: isCensored, probe.name)
        }
        if let lag { context.system.record(.measurement(lag)) }
    }
}
