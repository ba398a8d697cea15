internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// The roles probe at work: one loop per node.
struct RolesSession: ProbeSession {
    static let question = ["INFO", "replication"]

    private let probe: RolesProbe
    private let client: RedisClient
    private let context: SystemContext
    private let cluster = ClusterWatch()

    init(_ probe: RolesProbe, _ client: RedisClient, _ context: SystemContext) {
        self.probe = probe
        self.client = client
        self.context = context
    }

    /// On the connections' thread, so that no thread has to wake another one for a look.
    func run() async {
        await withTaskExecutorPreference(client.loop.tasks) {
            await withDiscardingTaskGroup { group in
                for node in probe.nodes {
                    group.addTask { await watch(Label(node.name), node.value) }
                }
            }
        }
    }

    func close() async throws(FaultError) {}

    private func watch(_ node: Label, _ url: RedisURL) async {
        let asker = NodeAsker(client, url, context.secrets)
        await client.loop.clock.everyTick(probe.every) {
            let sent = context.time.now
            let (sample, change): (StateSample, ClusterWatch.Change)
            do throws(RedisError) {
                let answer = try await asker.ask(Self.question, until: sent + probe.timeout)
                guard !Task.isCancelled else { return }
                (sample, change) = judge(answer, node, sent)
            } catch {
                guard !Task.isCancelled else { return }
                sample = StateSample(
                    silent: node, probe.name, sent: sent, end: error.endedAt ?? context.time.now, Label(error.reason))
                change = cluster.lost(node)
            }
            context.record(.state(sample))
            for text in change.texts {
                context.record(.note(Note(at: sample.end, source: probe.name, message: text)))
            }
            for fork in change.forks {
                context.record(
                    .measurement(
                        Measurement(
                            probe: probe.name, node: fork.old, metric: "diverged", at: sample.end,
                            value: Double(fork.bytes), unit: .bytes)))
            }
        }
        await asker.close()
    }

    private func judge(_ answer: NodeAsker.Answer, _ node: Label, _ sent: Instant) -> (StateSample, ClusterWatch.Change)
    {
        guard let state = answer.value.text.flatMap({ NodeState(info: $0) }) else {
            let sample = StateSample(silent: node, probe.name, sent: sent, end: answer.endedAt, "unexpected answer")
            return (sample, cluster.lost(node))
        }
        let sample = StateSample(
            probe: probe.name, node: node, sent: sent, end: answer.endedAt,
            state: state.isPrimary ? StateSample.primary : StateSample.replica, position: state.offset,
            identity: Label(state.replication), detail: state.isLinkUp ? .none : "link-down")
        return (sample, cluster.seen(node, state, process: answer.process))
    }
}

/// One node's connection, opened when needed; with the run id of the process at its other end.
actor NodeAsker {
    struct Answer: Sendable {
        var value: RedisValue
        var process: String
        var endedAt: Instant
    }

    private nonisolated let client: RedisClient
    private let url: RedisURL
    private let secrets: SecretStore
    private var connection: RedisConnection?
    private var process = ""

    nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    init(_ client: RedisClient, _ url: RedisURL, _ secrets: SecretStore) {
        self.client = client
        self.url = url
        self.secrets = secrets
    }

    /// An error that the server answers with is thrown: a node that loads its data is no node yet.
    func ask(_ question: [String], until deadline: Instant) async throws(RedisError) -> Answer {
        let connection = try await open(until: deadline)
        let answers = try await connection.call(pipeline: [question], until: deadline)
        let value = answers.values.first ?? .null
        if case .error(let text) = value {
            var error = RedisError(answer: text, phase: .command, subject: connection.subject)
            error.endedAt = answers.endedAt
            throw error
        }
        return Answer(value: value, process: process, endedAt: answers.endedAt)
    }

    /// A run id is drawn when a process starts, so that a connection has one for life.
    private func open(until deadline: Instant) async throws(RedisError) -> RedisConnection {
        if let connection, await connection.isOpen { return connection }
        connection = nil
        let fresh = try await client.connect(url, secrets, until: deadline)
        do throws(RedisError) {
            let info = try await fresh.call(["INFO", "server"], until: deadline).text ?? ""
            process = infoField("run_id", in: info) ?? ""
        } catch {
            await fresh.close()
            throw error
        }
        connection = fresh
        return fresh
    }

    func close() async {
        await connection?.close()
        connection = nil
    }
}

/// What is remembered of all nodes from sample to sample, to say what has changed.
final class ClusterWatch: Sendable {
    private struct Known {
        /// nil while it does not answer.
        var state: NodeState?
        var process: String?
    }

    /// What is new since the sample before, in words, and what stands against each other now.
    struct Change {
        var texts: [String] = []
        var forks: [Fork] = []
    }

    /// A primary, and another one that came from its history.
    struct Fork {
        var old: Label
        var new: Label
        var state: NodeState
        /// What the old one has and the new one does not.
        var bytes: Int64
    }

    private struct All {
        var nodes: [Label: Known] = [:]
        /// Forks that have been told, by the old primary and the new history.
        var told: Set<[String]> = []
    }

    private let all = Mutex(All())

    /// The node does not answer.
    func lost(_ node: Label) -> Change {
        all.withLock { all in
            let before = all.nodes[node]
            all.nodes[node, default: Known()].state = nil
            guard let before else { return Change(texts: ["\(node) is unreachable"]) }
            return Change(texts: before.state.map { ["\(node) is unreachable (was \(Self.role($0)))"] } ?? [])
        }
    }

    func seen(_ node: Label, _ state: NodeState, process: String) -> Change {
        all.withLock { all in
            let before = all.nodes[node]
            all.nodes[node] = Known(state: state, process: process)
            var change = Change()
            if let old = before?.process, old != process {
                change.texts.append("another process answers for \(node): run id \(process) (was \(old))")
            }
            if before?.state?.isPrimary != state.isPrimary {
                let was = before.map { known in " (was \(known.state.map(Self.role) ?? "unreachable"))" } ?? ""
                change.texts.append("\(node) is \(Self.role(state))\(was)")
            }
            change.forks = Self.forks(all.nodes).filter { $0.old == node }
            for fork in change.forks where all.told.insert([fork.old.text, fork.state.replication]).inserted {
                change.texts.append(
                    "two primaries: \(fork.new) parted from \(fork.old) at offset \(fork.state.forkOffset - 1); "
                        + "\(fork.old) has written \(fork.bytes) bytes since that \(fork.new) does not have")
            }
            return change
        }
    }

    private static func role(_ state: NodeState) -> String { state.isPrimary ? "primary" : "replica" }

    private static func forks(_ nodes: [Label: Known]) -> [Fork] {
        let primaries = nodes.compactMap { name, known in
            known.state.flatMap { $0.isPrimary ? (name: name, state: $0) : nil }
        }
        return primaries.flatMap { old in
            primaries.compactMap { new in
                old.state.divergence(from: new.state).map {
                    Fork(old: old.name, new: new.name, state: new.state, bytes: $0)
                }
            }
        }
    }
}
