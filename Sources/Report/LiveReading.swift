internal import Basics
internal import Contracts
internal import Experiment

/// What a lamp shows at one moment.
struct LiveReading: Sendable {
    enum Lamp: Sendable, Hashable {
        case waiting
        case good
        case bad
    }

    var lamp: Lamp
    /// The current figure, or why there is none.
    var text: String
    /// How much of the limit is used up, 0 … 1; nil when a bar says nothing.
    var used: Double?

    init(_ meter: LiveMeter, _ state: LiveState, at now: Instant) {
        guard let value = LiveReading.value(meter, state, at: now) else {
            self.init(lamp: .waiting, text: LiveReading.whyNot(meter, state))
            return
        }
        let holds = meter.limit.flatMap { $0.holds(for: value) }
        var used: Double?
        if let limit = meter.limit, limit.relation == .atMost || limit.relation == .below,
            let bound = limit.bound.magnitude, bound > 0, let magnitude = value.magnitude
        {
            used = min(1, max(0, magnitude / bound))
        }
        self.init(lamp: holds.map { $0 ? .good : .bad } ?? .waiting, text: LiveReading.text(value), used: used)
    }

    private init(lamp: Lamp, text: String, used: Double? = nil) {
        self.lamp = lamp
        self.text = text
        self.used = used
    }

    private static func whyNot(_ meter: LiveMeter, _ state: LiveState) -> String {
        switch meter.gauge {
        case .afterwards: "judged after recovery"
        case .outage, .availability, .elapsed: state.faultAt == nil ? "no fault yet" : "no samples"
        case .metric, .dualPrimary: "no samples"
        }
    }

    private static func text(_ value: Quantity) -> String {
        switch value {
        case .span(let span): Figure.latency(span)
        case .share(let share): Figure.text(share.fraction * 100, unit: "%")
        case .number, .bytes, .rate, .text: value.description
        }
    }

    private static func value(_ meter: LiveMeter, _ state: LiveState, at now: Instant) -> Quantity? {
        switch meter.gauge {
        case .metric(let name): return metric(name, meter.probe, state, at: now)
        case .afterwards: return nil
        case .elapsed: return state.faultAt.map { .span(max(.zero, now - $0)) }
        case .dualPrimary:
            return state.nodes[meter.probe] == nil ? nil : .span(state.dualPrimary(meter.probe, at: now))
        case .availability:
            guard let traffic = state.traffic[meter.probe], traffic.dueSinceFault > 0 else { return nil }
            return .share(Share(fraction: Double(traffic.okSinceFault) / Double(traffic.dueSinceFault)))
        case .outage:
            guard let faultAt = state.faultAt, let traffic = state.traffic[meter.probe] else { return nil }
            guard let lastMiss = traffic.lastMiss, lastMiss > faultAt else { return .span(.zero) }
            // Nothing succeeded since the newest miss: the outage goes on.
            let isOpen = traffic.lastSuccess.map { $0 < lastMiss } ?? true
            return .span((isOpen ? now : lastMiss) - faultAt)
        }
    }

    private static func metric(_ name: String, _ probe: Label, _ state: LiveState, at now: Instant) -> Quantity? {
        if let byNode = state.measurements[probe]?[Label(name)],
            let worst = byNode.values.max(by: { $0.value < $1.value })
        {
            // A value beyond nine billion is not one to convert: integers of nanoseconds end there.
            let value = worst.value.isNaN ? 0 : min(max(worst.value, -9e9), 9e9)
            return switch worst.unit {
            case .seconds: .span(Span(seconds: value))
            case .bytes: .bytes(ByteCount(bytes: Int64(min(max(worst.value.isNaN ? 0 : worst.value, 0), 9e18))))
            case .count: .number(worst.value)
            case .fraction: .share(Share(fraction: worst.value))
            }
        }
        if let traffic = state.traffic[probe] {
            switch name {
            case "success": return traffic.success(at: now).map { .share(Share(fraction: $0)) }
            case "p50": return traffic.quantile(0.5, at: now).map { .span($0) }
            case "p90": return traffic.quantile(0.9, at: now).map { .span($0) }
            case "p95": return traffic.quantile(0.95, at: now).map { .span($0) }
            case "p99": return traffic.quantile(0.99, at: now).map { .span($0) }
            case "max": return traffic.quantile(1, at: now).map { .span($0) }
            case "rate": return .rate(Rate(perSecond: traffic.rates(at: now).due))
            case "samples": return .number(Double(traffic.total))
            default: return nil
            }
        }
        guard let nodes = state.nodes[probe]?.values else { return nil }
        func count(_ label: Label) -> Quantity { .number(Double(nodes.count { $0.state == label })) }
        switch name {
        case "primaries": return count(StateSample.primary)
        case "replicas": return count(StateSample.replica)
        case "nodes": return .number(Double(nodes.count { $0.state != StateSample.unreachable }))
        case "state":
            let states = Set(nodes.map(\.state))
            return states.count == 1 ? states.first.map { .text($0.text) } : .text("mixed")
        default: return count(Label(name))
        }
    }
}
