internal import Glibc

/// The binomial distribution, exact for any count: the ground of every statement about shares and percentiles.
package enum Binomial {
    /// The one-sided error that every statistical verdict accepts.
    package static let significance = 0.05

    /// P(X <= k) for X ~ Binomial(n, p), through the regularised incomplete beta function: I(1-p; n-k, k+1).
    package static func cumulative(_ k: Int, of n: Int, probability p: Double) -> Double {
        if k < 0 { return 0 }
        if k >= n || p <= 0 { return 1 }
        if p >= 1 { return 0 }
        return incompleteBeta(Double(n - k), Double(k + 1), at: 1 - p)
    }

    /// One-sided Clopper-Pearson bounds of a share, k of n, each at 95 %; (0, 1) when n is 0.
    package static func bounds(_ k: Int, of n: Int, significance: Double = significance) -> (
        lower: Double, upper: Double
    ) {
        guard n > 0 else { return (0, 1) }
        // Upper: the largest p at which k or fewer is still not unlikely; lower: the smallest at which k or more is.
        let upper = k == n ? 1 : bisect { cumulative(k, of: n, probability: $0) > significance }
        let lower = k == 0 ? 0 : bisect { 1 - cumulative(k - 1, of: n, probability: $0) < significance }
        return (lower, upper)
    }

    /// The point in 0...1 up to which `holds` is true.
    private static func bisect(_ holds: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if holds(middle) { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// Regularised incomplete beta function by Lentz's continued fraction (Abramowitz and Stegun 26.5.8).
    private static func incompleteBeta(_ a: Double, _ b: Double, at x: Double) -> Double {
        // The fraction converges fast below the mean; above it the complement is used.
        if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(b, a, at: 1 - x) }
        let scale = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)) / a
        let tiny = 1e-300
        var c = 1.0
        var d = 1 / nonZero(1 - (a + b) * x / (a + 1), tiny)
        var fraction = d
        for step in 1...20_000 {
            let m = Double(step)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / nonZero(1 + even * d, tiny)
            c = nonZero(1 + even / c, tiny)
            fraction *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / nonZero(1 + odd * d, tiny)
            c = nonZero(1 + odd / c, tiny)
            fraction *= d * c
            if abs(d * c - 1) < 1e-14 { break }
        }
        return min(1, max(0, scale * fraction))
    }

    private static func nonZero(_ value: Double, _ tiny: Double) -> Double { abs(value) < tiny ? tiny : value }

    /// The thread-safe form: `lgamma` writes a global sign.
    private static func logGamma(_ x: Double) -> Double {
        var sign: Int32 = 0
        return lgamma_r(x, &sign)
    }
}
