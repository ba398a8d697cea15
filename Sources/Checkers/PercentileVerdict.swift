internal import Basics
internal import Contracts

/// Judges a list of percentile limits on one set of values; the first one gives the row its figure.
struct PercentileVerdict {
    /// In seconds; the unserved rank above every limit.
    var statistics: OrderStatistics
    /// Values that are only lower bounds of the true ones, in seconds.
    var censored: [Double] = []

    var count: Int { statistics.count + censored.count }

    func judge(_ limits: [PercentileLimit], _ result: inout CriterionResult) {
        var verdicts: [Verdict] = []
        var reasons: [String] = []
        // A censored value counts as unserved for the figure: the true percentile is at least as high.
        let pessimistic = OrderStatistics(statistics.values, unserved: statistics.unserved + censored.count)
        for (index, limit) in limits.enumerated() {
            let point = pessimistic.percentile(limit.quantile).map { $0 * 1_000 }
            let interval = pessimistic.interval(limit.quantile)
            let verdict = judge(limit)
            verdicts.append(verdict.verdict)
            reasons.append(verdict.reason)
            result.add(limit.name, point, "ms", verdict.reason)
            if index == 0 {
                result.measured = point
                result.lower = interval.lower.map { $0 * 1_000 }
                result.upper = interval.upper.map { $0 * 1_000 }
            }
        }
        let verdict = Verdict.combined(verdicts)
        let deciding = zip(verdicts, reasons).filter { $0.0 == verdict }.map(\.1)
        result.samples = count
        result.conclude(verdict, deciding.joined(separator: "; "))
    }

    private func judge(_ limit: PercentileLimit) -> (verdict: Verdict, reason: String) {
        let bound = limit.limit.seconds
        let surely = censored.count { $0 > bound }
        let above = statistics.above(bound) + surely
        let proof = PercentileProof(
            quantile: limit.quantile, samples: count, above: above, possiblyAbove: above + censored.count - surely)
        let counted = "\(above) of \(count) exceed \(limit.limit)"
        if proof.isShown { return (.pass, "\(limit.name) <= \(limit.limit) is shown: \(counted)") }
        if proof.isRefuted { return (.fail, "\(limit.name) exceeds \(limit.limit): \(counted)") }
        let needed =
            proof.samplesNeeded.map { $0 > count ? "; \($0) samples are needed" : "" }
            ?? "; more samples of the same kind would not show it"
        return (.inconclusive, "\(limit.name) <= \(limit.limit) is not shown: \(counted)\(needed)")
    }
}
