internal import Glibc

/// Whether a percentile is within a limit, without any assumption on the distribution.
///
/// "P99 <= limit" says that at most 1 % of all arrivals exceed the limit. With k of n above it, that is shown when
/// k or fewer would be unlikely (5 %) if exactly 1 % exceeded it: BinomCDF(k; n, 1 - q) < 0.05.
package struct PercentileProof: Sendable, Hashable {
    /// 0.99 for P99; 1 for the maximum, which is a statement about the observed arrivals alone.
    package var quantile: Double
    package var samples: Int
    /// How many are above the limit for certain.
    package var above: Int
    /// How many may be above it: censored values whose true value is not known.
    package var possiblyAbove: Int

    package init(quantile: Double, samples: Int, above: Int, possiblyAbove: Int? = nil) {
        self.quantile = quantile
        self.samples = samples
        self.above = above
        self.possiblyAbove = possiblyAbove ?? above
    }

    /// The percentile is shown to be within the limit.
    package var isShown: Bool {
        guard samples > 0 else { return false }
        if quantile >= 1 { return possiblyAbove == 0 }
        return Binomial.cumulative(possiblyAbove, of: samples, probability: 1 - quantile) < Binomial.significance
    }

    /// The percentile is shown to be above the limit: so many above it would be unlikely otherwise.
    package var isRefuted: Bool {
        if quantile >= 1 { return above > 0 }
        guard above > 0 else { return false }
        return 1 - Binomial.cumulative(above - 1, of: samples, probability: 1 - quantile) < Binomial.significance
    }

    /// The fewest samples that can ever show this percentile: none of them above the limit. 299 for P99, 59 for P95.
    package static func minimumSamples(quantile: Double) -> Int {
        quantile >= 1 ? 1 : Int((log(Binomial.significance) / log(quantile)).rounded(.up))
    }

    /// How many of n may be above the limit so that the percentile is still shown; nil when n is too small.
    package static func allowedAbove(samples: Int, quantile: Double) -> Int? {
        var allowed: Int?
        var (low, high) = (0, samples)
        while low < high {
            let middle = (low + high) / 2
            let proof = PercentileProof(quantile: quantile, samples: samples, above: middle)
            if proof.isShown {
                allowed = middle
                low = middle + 1
            } else {
                high = middle
            }
        }
        return allowed
    }

    /// How many samples would show it if the share above the limit stayed as it is; nil when none would.
    package var samplesNeeded: Int? {
        if quantile >= 1 { return above == 0 ? 1 : nil }
        let share = samples == 0 ? 0 : Double(possiblyAbove) / Double(samples)
        guard share < 1 - quantile else { return nil }
        var count = max(samples, Self.minimumSamples(quantile: quantile))
        while count < 1_000_000_000 {
            let above = Int((share * Double(count)).rounded(.up))
            if PercentileProof(quantile: quantile, samples: count, above: above).isShown { return count }
            count += max(1, count / 50)
        }
        return nil
    }
}
