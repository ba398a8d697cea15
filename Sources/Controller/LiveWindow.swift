package import Basics
package import Contracts
package import Experiment

/// The newest observations, for conditions that are judged while the run goes on. Memory is bounded by `retention`.
///
/// A metric is nil when nothing fresh supports it: a probe that never got an answer fulfils no condition.
package struct LiveWindow: Sendable {
    private let retention: Span
    private var operations: [Label: PathsOfProbe] = [:]
    private var states: [Label: [Label: StateSample]] = [:]
    private var measurements: [Label: [Label: [Label: Measurement]]] = [:]
    /// What a probe measures: never a number of states, also while nothing fresh was measured.
    private var measured: [Label: Set<Label>] = [:]

    package init(retention: Span) {
        self.retention = retention
    }

    /// Says which metrics a probe measures. Without that, one that was not measured yet would be taken for the number of
    /// nodes in a state of its name, which is 0: `{alarms: 0}` would hold while nobody answers.
    package mutating func expectMeasurements(_ metrics: [String], of probe: Label) {
        measured[probe, default: []].formUnion(metrics.map { Label($0) })
    }

    package mutating func append(_ event: HistoryEvent) {
        switch event {
        case .operation(let operation):
            operations[operation.probe, default: PathsOfProbe()].append(operation, retention)
        case .state(let sample): states[sample.probe, default: [:]][sample.node] = sample
        case .measurement(let measurement):
            measurements[measurement.probe, default: [:]][measurement.metric, default: [:]][measurement.node] =
                measurement
        case .run, .phase, .readBack, .fault, .stall, .note, .steadyState, .aborted, .cleanUp, .ended: break
        }
    }

    /// Nodes of a probe whose newest sample, not older than `age`, shows `state`; sorted by name.
    package func nodes(of probe: Label, in state: Label, at now: Instant, age: Span = .seconds(2)) -> [Label] {
        states[probe]?.values.filter { $0.state == state && now - $0.end <= age }.map(\.node).sorted() ?? []
    }

    /// Whether the probe has recorded a state of each of these nodes, and of one at least.
    package func hasSeen(_ nodes: [Label], of probe: Label) -> Bool {
        guard let seen = states[probe] else { return false }
        return nodes.allSatisfy { seen[$0] != nil }
    }

    /// The metric's value over the last `window`, as conditions compare it.
    package func value(of metric: LiveMetric, probe: Label, over window: Span, at now: Instant) -> Quantity? {
        if let value = measurement(metric.name, probe, over: window, at: now) { return value }
        let isMeasured = measured[probe]?.contains(metric.name) == true || measurements[probe]?[metric.name] != nil
        guard !isMeasured else { return nil }
        if let metric = metric.ofOperations {
            return operations[probe]?.service.flatMap { $0.value(of: metric, from: now - window, to: now) }
        }
        return stateCount(metric.ofStates, probe, over: window, at: now)
    }

    /// The worst node decides: the highest value among the fresh ones.
    private func measurement(_ metric: Label, _ probe: Label, over window: Span, at now: Instant) -> Quantity? {
        guard let nodes = measurements[probe]?[metric] else { return nil }
        let fresh = nodes.values.filter { now - $0.at <= max(window, .seconds(10)) }
        guard let worst = fresh.max(by: { $0.value < $1.value }) else { return nil }
        switch worst.unit {
        case .seconds: return .span(Span(seconds: worst.value))
        case .bytes: return .bytes(ByteCount(bytes: Int64(worst.value)))
        case .count: return .number(worst.value)
        case .fraction: return .share(Share(fraction: worst.value))
        }
    }

    private func stateCount(
        _ metric: LiveMetric.OfStates, _ probe: Label, over window: Span, at now: Instant
    ) -> Quantity? {
        let oldest = now - max(window, .seconds(2))
        let fresh = (states[probe] ?? [:]).values.lazy.filter { $0.end >= oldest }
        guard let first = fresh.first else { return nil }
        switch metric {
        case .nodes: return .number(Double(fresh.count { $0.state != StateSample.unreachable }))
        case .state: return .text(fresh.allSatisfy { $0.state == first.state } ? first.state.text : "mixed")
        case .count(let state): return .number(Double(fresh.count { $0.state == state }))
        }
    }
}

/// A probe's newest operations: those that say what clients get, and those that go past the service.
private struct PathsOfProbe {
    private var client: RecentOperations?
    private var direct: RecentOperations?
    /// Almost always the path of the one before.
    private var last: (path: Label, isDirect: Bool)?

    mutating func append(_ operation: Operation, _ retention: Span) {
        let isDirect: Bool
        if let last, last.path == operation.path {
            isDirect = last.isDirect
        } else {
            isDirect = Operation.isDirect(operation.path)
            last = (operation.path, isDirect)
        }
        if isDirect {
            if direct == nil { direct = RecentOperations() }
            direct?.append(operation, retention)
        } else {
            if client == nil { client = RecentOperations() }
            client?.append(operation, retention)
        }
    }

    /// As in a verdict: the direct paths count only when the probe has no others.
    var service: RecentOperations? { client ?? direct }
}

/// Operations of one way in order of arrival, the old ones dropped from the front.
private struct RecentOperations {
    private var items: [Operation] = []
    private var first = 0

    mutating func append(_ operation: Operation, _ retention: Span) {
        items.append(operation)
        while first < items.count, operation.end - items[first].end > retention { first += 1 }
        if first > 4_096, first > items.count / 2 {
            items.removeFirst(first)
            first = 0
        }
    }

    func value(of metric: LiveMetric.OfOperations, from lower: Instant, to upper: Instant) -> Quantity? {
        var (count, good) = (0, 0)
        for operation in items[first...] where operation.end >= lower && operation.end <= upper {
            count += 1
            if operation.outcome == .ok { good += 1 }
        }
        if metric == .samples { return .number(Double(count)) }
        guard count > 0 else { return nil }
        switch metric {
        case .samples: return .number(Double(count))
        case .success: return .share(Share(fraction: Double(good) / Double(count)))
        case .rate: return .rate(Rate(perSecond: Double(good) / max((upper - lower).seconds, 0.001)))
        case .max: return latencies(from: lower, to: upper).last.map(Quantity.span)
        case .percentile(let percent):
            // Nearest rank over all arrivals, failed ones included: dropping them would hide the outage.
            let latencies = latencies(from: lower, to: upper)
            let rank = Int((percent / 100 * Double(count)).rounded(.up))
            return .span(latencies[min(max(rank, 1), count) - 1])
        }
    }

    /// Ascending.
    private func latencies(from lower: Instant, to upper: Instant) -> [Span] {
        items[first...].lazy.filter { $0.end >= lower && $0.end <= upper }.map(\.latency).sorted()
    }
}
