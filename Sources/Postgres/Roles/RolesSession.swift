internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// The roles probe at work: one loop per node.
struct RolesSession: ProbeSession {
    /// Read once per connection: the data's identity does not change while a server runs.
    static let greeting = "SELECT system_identifier FROM pg_control_system()"

    private let probe: RolesProbe
    private let client: PostgresClient
    private let context: SystemContext

    init(_ probe: RolesProbe, _ client: PostgresClient, _ context: SystemContext) {
        self.probe = probe
        self.client = client
        self.context = context
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for node in probe.nodes {
                group.addTask { await self.watch(Label(node.name), node.value) }
            }
        }
    }

    func close() async throws(FaultError) {}

    /// Asks at t0 + k × every; instants that pass while a question is under way are left out, never made up for.
    private func watch(_ node: Label, _ address: NodeAddress) async {
        let session = KeptSession(client, address.dsn, context.secrets, opening: Self.greeting)
        var watcher = NodeWatcher(node: node)
        await context.time.everyTick(probe.every) {
            let sample = await ask(session, &watcher)
            guard !Task.isCancelled else { return }
            context.record(.state(sample))
            if let change = watcher.change(to: sample) {
                context.record(.note(Note(at: sample.end, source: probe.name, message: change)))
            }
        }
        await session.close()
    }

    private func ask(_ session: KeptSession, _ watcher: inout NodeWatcher) async -> StateSample {
        let sent = context.time.now
        do throws(PostgresError) {
            let answer = try await session.query(watcher.statement, until: sent + probe.timeout)
            return sample(watcher.node, sent, answer)
        } catch {
            // Insufficient privilege: the same question without the part that needs it, at once.
            if error.sqlState == "42501" && watcher.isPrivileged {
                watcher.isPrivileged = false
                return await ask(session, &watcher)
            }
            let end = error.endedAt ?? context.time.now
            return StateSample(silent: watcher.node, probe.name, sent: sent, end: end, Label(error.reason))
        }
    }

    private func sample(_ node: Label, _ sent: Instant, _ answer: KeptSession.Answer) -> StateSample {
        let end = answer.result.endedAt ?? context.time.now
        guard let state = NodeState(answer.result) else {
            return StateSample(silent: node, probe.name, sent: sent, end: end, "unexpected answer")
        }
        return StateSample(
            probe: probe.name, node: node, sent: sent, end: end,
            state: state.isInRecovery ? StateSample.replica : StateSample.primary, generation: state.timeline,
            position: state.position, identity: Label((answer.greeting.first ?? nil) ?? ""))
    }
}

/// What is remembered of one node from sample to sample.
struct NodeWatcher: Sendable {
    let node: Label
    /// Whether the full question may be asked.
    var isPrivileged = true
    private var state: Label?
    private var generation: Int64?

    init(node: Label) {
        self.node = node
    }

    var statement: String { isPrivileged ? NodeState.query : NodeState.queryWithoutPrivileges }

    /// The change in words, or nil; the first sample is one too.
    mutating func change(to sample: StateSample) -> String? {
        let (oldState, oldGeneration) = (state, generation)
        let newGeneration = sample.generation ?? generation
        guard oldState != sample.state || oldGeneration != newGeneration else { return nil }
        state = sample.state
        generation = newGeneration
        let now = sample.generation.map { "\(sample.state) on timeline \($0)" } ?? sample.state.text
        guard let oldState else { return "\(node) is \(now)" }
        let before = oldGeneration.map { "\(oldState) on timeline \($0)" } ?? oldState.text
        return "\(node) is \(now) (was \(before))"
    }
}
