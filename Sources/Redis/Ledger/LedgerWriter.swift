internal import Basics
internal import Contracts

/// Makes single writes on one path and reports each as an operation. Runs on the connections' thread.
actor LedgerWriter {
    private nonisolated let client: RedisClient
    private let probe: Label
    private let path: Label
    private let keys: RunKeys
    private let payload: String
    private let settings: LedgerSettings
    private let route: LedgerRoute
    private let context: SystemContext
    private var acknowledgedBy: Set<Label> = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    init(
        _ client: RedisClient, probe: Label, path: Label, keys: RunKeys, settings: LedgerSettings,
        route: LedgerRoute, context: SystemContext
    ) {
        self.client = client
        self.probe = probe
        self.path = path
        self.keys = keys
        self.settings = settings
        self.route = route
        self.context = context
        payload = String(repeating: "x", count: Int(settings.payload.bytes))
    }

    /// One arrival from due to judged. Ignores cancellation: a write that was begun is waited for, at most its timeout.
    func write(_ sequence: Int64, due: Instant) async {
        let deadline = due + settings.timeout
        let sent = context.time.now
        var node = Label.none
        do throws(RedisError) {
            let answers = try await route.send(
                commands(sequence), about: keys.name(of: sequence), until: deadline
            ) { node = $0 }
            record(sequence, due, sent, answers.endedAt, .answered(answers.values), node)
        } catch {
            // The run has ended while the way was looked for: nothing was tried.
            if error.code == .cancelled, !error.commandSent { return }
            record(sequence, due, sent, error.endedAt ?? context.time.now, .failed(error), node)
        }
    }

    /// WAIT counts only what its own connection has written (measurement section 2.2), so it goes with the write.
    private func commands(_ sequence: Int64) -> [[String]] {
        let write = keys.append(sequence, payload: payload)
        let confirmation = settings.confirmation
        guard confirmation.replicas > 0 else { return [write] }
        let milliseconds = max(1, confirmation.patience.nanoseconds / 1_000_000)
        return [write, ["WAIT", "\(confirmation.replicas)", "\(milliseconds)"]]
    }

    private func record(
        _ sequence: Int64, _ due: Instant, _ sent: Instant, _ end: Instant, _ evidence: WriteEvidence, _ node: Label
    ) {
        let judgement = WriteJudgement(evidence, replicas: settings.confirmation.replicas)
        if judgement.outcome == .ok, acknowledgedBy.insert(node).inserted {
            let text = "first write acknowledged by \(node) (path \(path))"
            context.record(.note(Note(at: end, source: probe, message: text)))
        }
        context.record(
            .operation(
                Operation(
                    probe: probe, path: path, node: node, action: .write, sequence: sequence, due: due, sent: sent,
                    end: end, outcome: judgement.outcome, reason: judgement.reason)))
    }
}
