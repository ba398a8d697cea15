package import Basics
package import Experiment

/// What is known before a run begins and shown while it lasts: its steps, its criteria, its steady state.
package struct LivePlan: Sendable {
    package var title: String
    /// How long each step's fault stays, for the countdown; steps without a duration stay until the healing phase.
    package var durations: [Label: Span]
    package var meters: [LiveMeter]

    package init(title: String, durations: [Label: Span] = [:], meters: [LiveMeter] = []) {
        self.title = title
        self.durations = durations
        self.meters = meters
    }

    package init(_ experiment: Experiment) {
        title = experiment.title
        durations = [:]
        for step in experiment.method { durations[Label(step.name)] = step.duration }
        meters = experiment.criteria.map(LiveMeter.init)
        for expectation in experiment.steadyState?.expectations ?? [] {
            meters += expectation.tolerance.map { LiveMeter($0, probe: expectation.probe) }
        }
    }
}

/// One lamp of the live view: a figure against its limit. What it shows is a preview, the verdict comes from the checkers.
package struct LiveMeter: Sendable, Hashable {
    package enum Group: String, Sendable, Hashable {
        case criterion
        case steadyState = "steady state"
    }

    /// What the figure is.
    package enum Gauge: Sendable, Hashable {
        /// A metric of `MetricCatalog` over the last ten seconds.
        case metric(String)
        /// From the fault's effect to the last arrival that did not succeed.
        case outage
        /// Share of arrivals since the fault's effect that succeeded.
        case availability
        /// Time in which two nodes said that they are primary.
        case dualPrimary
        /// Since the fault's effect.
        case elapsed
        /// Nothing can be said before the final reads.
        case afterwards
    }

    package var group: Group
    package var name: String
    package var probe: Label
    package var gauge: Gauge
    package var limit: Comparison?

    package init(group: Group, name: String, probe: Label, gauge: Gauge, limit: Comparison?) {
        self.group = group
        self.name = name
        self.probe = probe
        self.gauge = gauge
        self.limit = limit
    }

    init(_ condition: MetricCondition, probe: String) {
        self.init(
            group: .steadyState, name: "\(probe) \(condition.metric)", probe: Label(probe),
            gauge: .metric(condition.metric), limit: condition.comparison)
    }

    init(_ criterion: CriterionDeclaration) {
        let entries = LiveMeter.scalars(criterion.declaration.parameters)
        let known = entries.lazy.compactMap { LiveMeter.limit(key: $0.key, text: $0.text) }.first
        let gauge: Gauge =
            switch criterion.kind {
            case "rto": .outage
            case "availability": .availability
            case "split-brain": .dualPrimary
            case "recovery": .elapsed
            case "latency": .metric(known?.metric ?? "p99")
            default: .afterwards
            }
        self.init(
            group: .criterion, name: criterion.declaration.name, probe: Label(criterion.probe ?? ""), gauge: gauge,
            limit: known?.comparison)
    }

    private static func scalars(_ parameters: Node) -> [(key: String, text: String)] {
        guard case .mapping(let mapping) = parameters else { return [] }
        return mapping.entries.compactMap { entry in
            if case .scalar(let scalar) = entry.value { (entry.key, scalar.text) } else { nil }
        }
    }

    /// `max: 30s` is `<= 30s`, `min: 99%` is `>= 99%`, `p99: <= 100ms` is itself.
    private static func limit(key: String, text: String) -> (metric: String?, comparison: Comparison)? {
        switch key {
        case "max", "within": (nil, Comparison(.atMost, Quantity(parsing: text)))
        case "min": (nil, Comparison(.atLeast, Quantity(parsing: text)))
        case "p50", "p90", "p95", "p99":
            Comparison(parsing: text).map { comparison in
                (key, comparison.relation == .equal ? Comparison(.atMost, comparison.bound) : comparison)
            }
        default: nil
        }
    }
}
