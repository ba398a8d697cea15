internal import Basics
internal import Contracts
internal import Experiment

/// The command probe at work.
struct CommandSession: ProbeSession {
    private let probe: CommandProbe
    private let context: SystemContext
    private let connections: KeptConnections

    init(_ probe: CommandProbe, _ client: RedisClient, _ context: SystemContext) {
        self.probe = probe
        self.context = context
        connections = KeptConnections(client, probe.url, context.secrets)
    }

    func run() async {
        let rate = Rate(perSecond: 1 / probe.every.seconds)
        await withDiscardingTaskGroup { group in
            await OpenLoop(start: context.time.now, rate: rate).run(
                time: context.time, onStall: { context.record(.stall($0)) },
                { arrival in group.addTask { await look(arrival) } })
        }
    }

    func close() async throws(FaultError) { await connections.close() }

    private func look(_ arrival: Arrival) async {
        let sent = context.time.now
        do throws(RedisError) {
            let answers = try await connections.call(
                pipeline: [probe.command], until: arrival.due + probe.timeout, .ignored)
            judge(answers, arrival, sent: sent)
        } catch {
            // A read has no effect, so an answer that never came is a failure and not unknown.
            record(arrival, sent: sent, end: error.endedAt ?? context.time.now, .failed, Label(error.reason))
        }
    }

    private func judge(_ answers: RedisConnection.Answers, _ arrival: Arrival, sent: Instant) {
        let end = answers.endedAt
        let text: String
        switch answers.values.first {
        case .status(let status): text = status
        case .bytes(let bytes): text = String(decoding: bytes, as: UTF8.self)
        case .integer(let number): text = "\(number)"
        case .array(let values): text = "\(values.count)"
        case .null, nil: return record(arrival, sent: sent, end: end, .failed, "null")
        case .error(let message):
            let error = RedisError(answer: message, phase: .command, subject: "")
            return record(arrival, sent: sent, end: end, .failed, Label(error.reason))
        }
        if let number = Double(text), number.isFinite {
            context.record(
                .measurement(
                    Measurement(
                        probe: probe.name, node: .none, metric: "value", at: end, value: number, unit: .count)))
        }
        guard let tolerance = probe.tolerance else { return record(arrival, sent: sent, end: end, .ok, .none) }
        var quantity = Quantity(parsing: text)
        if case .text = tolerance.bound { quantity = .text(text) }
        switch tolerance.holds(for: quantity) {
        case true: record(arrival, sent: sent, end: end, .ok, .none)
        case false: record(arrival, sent: sent, end: end, .failed, "mismatch")
        case nil: record(arrival, sent: sent, end: end, .failed, "not-comparable")
        }
    }

    private func record(_ arrival: Arrival, sent: Instant, end: Instant, _ outcome: Outcome, _ reason: Label) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: "kept", action: .check, sequence: arrival.number + 1, due: arrival.due,
                    sent: sent, end: end, outcome: outcome, reason: reason)))
    }
}
