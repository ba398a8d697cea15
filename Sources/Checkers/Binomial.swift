/// The binomial distribution, exact for any count: the ground of every statement about shares and percentiles.
package enum Binomial {
    /// The one-sided error that every statistical verdict accepts.
    package static let significance = 0.05

    /// P(X <= k) for X ~ Binomial(n, p), through the regularised incomplete beta function: I(1-p; n-k, k+1).
    package static func cumulative(_ k: Int, of n: Int, probability p: Double) -> Double {
        if k < 0 { return 0 }
        if k >= n || p <= 0 { return 1 }
        if p >= 1 { return 0 }
        return beta(k, of: n).value(at: 1 - p)
    }

    /// One-sided Clopper-Pearson bounds of a share, k of n, each at 95 %; (0, 1) when n is 0.
    package static func bounds(_ k: Int, of n: Int, significance: Double = significance) -> (
        lower: Double, upper: Double
    ) {
        guard n > 0 else { return (0, 1) }
        // Upper: the largest p at which k or fewer is still not unlikely; lower: the smallest at which k or more is.
        let (atMost, below) = (beta(k, of: n), beta(k - 1, of: n))
        let upper = k == n ? 1 : bisect { atMost.value(at: 1 - $0) > significance }
        let lower = k == 0 ? 0 : bisect { 1 - below.value(at: 1 - $0) < significance }
        return (lower, upper)
    }

    private static func beta(_ k: Int, of n: Int) -> IncompleteBeta { IncompleteBeta(Double(n - k), Double(k + 1)) }

    /// The point in 0...1 up to which `holds` is true.
    private static func bisect(_ holds: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            // No number lies between the two any more.
            if middle == low || middle == high { break }
            if holds(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }
}
