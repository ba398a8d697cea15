/// Percentiles by rank, with values that are only known to be above anything measured.
package struct OrderStatistics: Sendable, Hashable {
    /// Ascending.
    package let values: [Double]
    /// Arrivals that were never served: they rank above every value.
    package let unserved: Int

    package init(_ values: [Double], unserved: Int = 0) {
        self.values = values.sorted()
        self.unserved = unserved
    }

    package var count: Int { values.count + unserved }

    /// Nearest rank: the smallest value that at least this share does not exceed; nil when it falls among the unserved.
    package func percentile(_ quantile: Double) -> Double? {
        guard count > 0 else { return nil }
        let rank = max(1, Int((quantile * Double(count) - 1e-9).rounded(.up)))
        return rank <= values.count ? values[rank - 1] : nil
    }

    /// The 95 % interval of a percentile by ranks n·q ± 1.96·√(n·q·(1−q)); an end that is not known is nil.
    package func interval(_ quantile: Double) -> (lower: Double?, upper: Double?) {
        guard count > 0 else { return (nil, nil) }
        let centre = quantile * Double(count)
        let reach = 1.96 * (centre * (1 - quantile)).squareRoot()
        let low = max(1, Int((centre - reach).rounded(.down)))
        let high = Int((centre + reach).rounded(.up))
        return (value(atRank: low), high > count ? nil : value(atRank: high))
    }

    private func value(atRank rank: Int) -> Double? {
        rank <= values.count ? values[rank - 1] : nil
    }

    package func above(_ limit: Double) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] <= limit { low = middle + 1 } else { high = middle }
        }
        return values.count - low + unserved
    }
}
