/// The metrics that conditions may name, by what a probe records: the vocabulary of tolerances and stop conditions.
package enum MetricCatalog {
    /// Over the operations of a window: shares of due arrivals, latency percentiles from the due time, rate.
    package static let operations = ["success", "p50", "p90", "p95", "p99", "max", "rate", "samples"]
    /// Over the newest sample of each node: how many are primary, replica, unreachable; how many answered.
    package static let states = ["primaries", "replicas", "unreachable", "nodes", "state"]
    /// The newest measurement of any metric name, worst node first: the name itself (`lag`, `value`) is the metric.
    package static func names(for probe: any Probe.Type) -> [String] {
        var names = probe.metrics
        if probe.emits.contains(.operations) { names += operations }
        if probe.emits.contains(.states) { names += states }
        return names
    }
}
