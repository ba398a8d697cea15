package import Basics
internal import Experiment

/// One limit on a percentile or the maximum: `p99: <= 100ms`.
package struct PercentileLimit: Sendable, Hashable {
    package var name: String
    package var quantile: Double
    package var limit: Span

    package init(_ name: String, _ quantile: Double, _ limit: Span) {
        self.name = name
        self.quantile = quantile
        self.limit = limit
    }

    private static let quantiles: [(name: String, quantile: Double)] = [
        ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1),
    ]

    /// The keys, in order; each may be missing, one must be there.
    static let parameters: [Parameter<Comparison?>] = quantiles.map { name, _ in
        .optional(name, .comparison, "the limit of \(name), for example \"<= 100ms\"")
    }

    /// Reads all limits of one mapping; a limit that is no upper bound in time is an error at its place.
    static func read(_ reader: inout ParameterReader) -> [PercentileLimit] {
        var limits: [PercentileLimit] = []
        for (parameter, known) in zip(parameters, quantiles) {
            guard let comparison = reader.value(parameter) else { continue }
            guard case .span(let span) = comparison.bound, isUpper(comparison.relation) else {
                reader.diagnostics.error(
                    "expected an upper limit in time, for example \"<= 100ms\"", at: reader.location(of: known.name))
                continue
            }
            limits.append(PercentileLimit(known.name, known.quantile, span))
        }
        if limits.isEmpty, !reader.diagnostics.hasErrors {
            reader.diagnostics.error("name at least one limit: p50, p90, p95, p99 or max", at: reader.location)
        }
        return limits
    }

    private static func isUpper(_ relation: Comparison.Relation) -> Bool {
        switch relation {
        case .atMost, .below, .equal: true
        case .atLeast, .above, .notEqual: false
        }
    }
}
