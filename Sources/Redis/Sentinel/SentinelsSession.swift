internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// The sentinels probe at work: for each Sentinel one loop that asks and one that listens.
struct SentinelsSession: ProbeSession {
    /// What each Sentinel said last; nil when it did not answer.
    private final class Views: Sendable {
        private struct State {
            var address: String?
            var isUsable = false
        }

        private let states = Mutex<[Label: State]>([:])

        /// How many addresses are named now, and by how many Sentinels a failover can be authorised.
        func note(_ node: Label, _ address: String?, isUsable: Bool) -> (views: Int, usable: Int) {
            states.withLock { states in
                states[node] = State(address: address, isUsable: isUsable)
                return (Set(states.values.compactMap(\.address)).count, states.values.count(where: \.isUsable))
            }
        }
    }

    private let probe: SentinelsProbe
    private let client: RedisClient
    private let context: SystemContext
    private let views = Views()

    init(_ probe: SentinelsProbe, _ client: RedisClient, _ context: SystemContext) {
        self.probe = probe
        self.client = client
        self.context = context
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for node in probe.nodes {
                group.addTask { await watch(Label(node.name), node.value) }
                group.addTask { await listen(Label(node.name), node.value) }
            }
        }
    }

    func close() async throws(FaultError) {}

    /// Those of the watched primary and those of no primary (+tilt); others are not this run's business.
    private func listen(_ node: Label, _ url: RedisURL) async {
        await SentinelEvents(url, client, context).run(["*"]) { event in
            let words = event.text.split(separator: " ")
            guard words.isEmpty || words.contains(Substring(probe.master)) else { return }
            context.record(
                .note(Note(at: event.at, source: probe.name, message: "\(node): \(event.channel) \(event.text)")))
        } isLost: { _ in
            // That it does not answer is a state, recorded by `watch`.
        }
    }

    private func watch(_ node: Label, _ url: RedisURL) async {
        let connections = KeptConnections(client, url, context.secrets)
        await context.time.everyTick(probe.every) {
            let sent = context.time.now
            do throws(RedisError) {
                let answers = try await connections.call(
                    pipeline: [["SENTINEL", "MASTER", probe.master], ["SENTINEL", "CKQUORUM", probe.master]],
                    until: sent + probe.timeout)
                guard !Task.isCancelled else { return }
                record(node, answers, sent)
            } catch {
                guard !Task.isCancelled else { return }
                recordSilence(node, sent, error.endedAt ?? context.time.now, Label(error.reason))
            }
        }
        await connections.close()
    }

    private func record(_ node: Label, _ answers: RedisConnection.Answers, _ sent: Instant) {
        guard answers.values.count == 2, let view = SentinelView(answers.values[0]) else {
            return recordSilence(node, sent, answers.endedAt, "unknown-master")
        }
        var isUsable = false
        if case .status(let text) = answers.values[1] { isUsable = text.hasPrefix("OK") }
        context.record(
            .state(
                StateSample(
                    probe: probe.name, node: node, sent: sent, end: answers.endedAt, state: Label(view.state),
                    generation: view.epoch, identity: Label(view.address),
                    detail: isUsable ? .none : "no-quorum")))
        measure(views.note(node, view.address, isUsable: isUsable), at: answers.endedAt)
    }

    private func recordSilence(_ node: Label, _ sent: Instant, _ end: Instant, _ reason: Label) {
        context.record(.state(StateSample(silent: node, probe.name, sent: sent, end: end, reason)))
        measure(views.note(node, nil, isUsable: false), at: end)
    }

    private func measure(_ counts: (views: Int, usable: Int), at instant: Instant) {
        for (metric, value) in [("views", counts.views), ("usable", counts.usable)] {
            context.record(
                .measurement(
                    Measurement(
                        probe: probe.name, node: .none, metric: Label(metric), at: instant, value: Double(value),
                        unit: .count)))
        }
    }
}
