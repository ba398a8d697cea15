internal import Basics
internal import Contracts
internal import Experiment

/// The query probe at work.
struct QuerySession: ProbeSession {
    private let probe: QueryProbe
    private let client: PostgresClient
    private let context: SystemContext

    init(_ probe: QueryProbe, _ client: PostgresClient, _ context: SystemContext) {
        self.probe = probe
        self.client = client
        self.context = context
    }

    /// Said on each new connection: a probe changes nothing.
    static let opening = "SET default_transaction_read_only TO on"

    func run() async {
        let rate = Rate(perSecond: 1 / probe.every.seconds)
        let limit = PoolSizing.needed(rate: rate, timeout: probe.timeout)
        let pool = ConnectionPool(
            client, probe.dsn, context.secrets, reuse: .kept, limit: limit, opening: Self.opening,
            time: context.time)
        await withDiscardingTaskGroup { group in
            await OpenLoop(start: context.time.now, rate: rate).run(
                time: context.time, onStall: { context.record(.stall($0)) },
                { arrival in group.addTask { await look(arrival, pool) } })
        }
        await pool.close()
    }

    func close() async throws(FaultError) {}

    private func look(_ arrival: Arrival, _ pool: ConnectionPool) async {
        let deadline = arrival.due + probe.timeout
        guard let permit = await pool.permit(until: deadline) else {
            return record(arrival, sent: nil, .failed, "unsent")
        }
        let sent = context.time.now
        var connection: PostgresConnection?
        do throws(PostgresError) {
            let opened = try await pool.redeem(permit, until: deadline)
            connection = opened
            let result = try await opened.query(probe.sql, until: deadline, .ignored)
            judge(result, arrival, sent: sent)
        } catch {
            // A read has no effect, so an answer that never came is a failure and not unknown.
            record(arrival, sent: sent, end: error.endedAt, .failed, Label(error.reason))
        }
        await pool.finish(connection)
    }

    private func judge(_ result: QueryResult, _ arrival: Arrival, sent: Instant) {
        let end = result.endedAt
        guard let row = result.rows.first else { return record(arrival, sent: sent, end: end, .failed, "no-row") }
        guard let text = row.first ?? nil else { return record(arrival, sent: sent, end: end, .failed, "null") }
        if let number = Double(text), number.isFinite {
            context.record(
                .measurement(
                    Measurement(
                        probe: probe.name, node: .none, metric: "value", at: context.time.now, value: number,
                        unit: .count)))
        }
        guard let tolerance = probe.tolerance else { return record(arrival, sent: sent, end: end, .ok, .none) }
        switch tolerance.holds(for: value(text, against: tolerance)) {
        case true: record(arrival, sent: sent, end: end, .ok, .none)
        case false: record(arrival, sent: sent, end: end, .failed, "mismatch")
        case nil: record(arrival, sent: sent, end: end, .failed, "not-comparable")
        }
    }

    /// PostgreSQL writes a boolean as t or f; people write true or false. A text is compared as a text.
    private func value(_ text: String, against tolerance: Comparison) -> Quantity {
        guard case .text(let bound) = tolerance.bound else { return Quantity(parsing: text) }
        let isBoolean = bound == "true" || bound == "false"
        return .text(isBoolean && text == "t" ? "true" : isBoolean && text == "f" ? "false" : text)
    }

    private func record(
        _ arrival: Arrival, sent: Instant?, end: Instant? = nil, _ outcome: Outcome, _ reason: Label
    ) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: "kept", action: .check, sequence: arrival.number + 1, due: arrival.due,
                    sent: sent, end: end ?? context.time.now, outcome: outcome, reason: reason)))
    }
}
