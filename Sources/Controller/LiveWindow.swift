package import Basics
package import Contracts
package import Experiment

/// The newest observations, for conditions that are judged while the run goes on. Memory is bounded by `retention`.
///
/// A metric is nil when nothing fresh supports it: a probe that never got an answer fulfils no condition.
package struct LiveWindow: Sendable {
    private let retention: Span
    private var operations: [Label: RecentOperations] = [:]
    private var states: [Label: [Label: StateSample]] = [:]
    private var measurements: [Label: [Label: [Label: Measurement]]] = [:]

    package init(retention: Span) {
        self.retention = retention
    }

    package mutating func append(_ event: HistoryEvent) {
        switch event {
        case .operation(let operation):
            operations[operation.probe, default: RecentOperations()].append(operation, retention)
        case .state(let sample): states[sample.probe, default: [:]][sample.node] = sample
        case .measurement(let measurement):
            measurements[measurement.probe, default: [:]][measurement.metric, default: [:]][measurement.node] =
                measurement
        case .run, .phase, .readBack, .fault, .stall, .note, .steadyState, .aborted, .cleanUp, .ended: break
        }
    }

    /// Nodes of a probe whose newest sample, not older than `age`, shows `state`; sorted by name.
    package func nodes(of probe: Label, in state: Label, at now: Instant, age: Span = .seconds(2)) -> [Label] {
        (states[probe] ?? [:]).values.filter { $0.state == state && now - $0.end <= age }.map(\.node).sorted()
    }

    /// The metric's value over the last `window`, as conditions compare it.
    package func value(of metric: String, probe: Label, over window: Span, at now: Instant) -> Quantity? {
        if let measured = measured(metric, probe, over: window, at: now) { return measured }
        if MetricCatalog.operations.contains(metric) {
            return operations[probe].flatMap { $0.value(of: metric, from: now - window, to: now) }
        }
        return stateCount(metric, probe, over: window, at: now)
    }

    /// The worst node decides: the highest value among the fresh ones.
    private func measured(_ metric: String, _ probe: Label, over window: Span, at now: Instant) -> Quantity? {
        let fresh = (measurements[probe]?[Label(metric)] ?? [:]).values.filter {
            now - $0.at <= max(window, .seconds(10))
        }
        guard let worst = fresh.max(by: { $0.value < $1.value }) else { return nil }
        switch worst.unit {
        case .seconds: return .span(Span(seconds: worst.value))
        case .bytes: return .bytes(ByteCount(bytes: Int64(worst.value)))
        case .count: return .number(worst.value)
        case .fraction: return .share(Share(fraction: worst.value))
        }
    }

    private func stateCount(_ metric: String, _ probe: Label, over window: Span, at now: Instant) -> Quantity? {
        let fresh = (states[probe] ?? [:]).values.filter { now - $0.end <= max(window, .seconds(2)) }
        guard !fresh.isEmpty else { return nil }
        switch metric {
        case "nodes": return .number(Double(fresh.filter { $0.state != StateSample.unreachable }.count))
        case "state":
            guard let first = fresh.first, fresh.allSatisfy({ $0.state == first.state }) else { return .text("mixed") }
            return .text(first.state.text)
        case "primaries": return count(fresh, StateSample.primary)
        case "replicas": return count(fresh, StateSample.replica)
        default: return count(fresh, Label(metric))
        }
    }

    private func count(_ samples: [StateSample], _ state: Label) -> Quantity {
        .number(Double(samples.filter { $0.state == state }.count))
    }
}

/// Operations of one probe in order of arrival, the old ones dropped from the front.
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

    func value(of metric: String, from lower: Instant, to upper: Instant) -> Quantity? {
        let window = items[first...].filter { $0.end >= lower && $0.end <= upper }
        if metric == "samples" { return .number(Double(window.count)) }
        guard !window.isEmpty else { return nil }
        switch metric {
        case "success":
            return .share(Share(fraction: Double(window.filter { $0.outcome == .ok }.count) / Double(window.count)))
        case "rate":
            let seconds = max((upper - lower).seconds, 0.001)
            return .rate(Rate(perSecond: Double(window.filter { $0.outcome == .ok }.count) / seconds))
        case "max": return window.map(\.latency).max().map(Quantity.span)
        default:
            guard let percent = Double(metric.dropFirst()) else { return nil }
            // Nearest rank over all arrivals, failed ones included: dropping them would hide the outage.
            let latencies = window.map(\.latency).sorted()
            let rank = Int((percent / 100 * Double(latencies.count)).rounded(.up))
            return .span(latencies[min(max(rank, 1), latencies.count) - 1])
        }
    }
}
