internal import Glibc

/// The regularised incomplete beta function I(x; a, b) for one pair of parameters, at any number of points.
///
/// Lentz's continued fraction (Abramowitz and Stegun 26.5.8). A bound is searched for with a hundred points of one pair,
/// and the gamma functions, half of the work, are the same for all of them.
struct IncompleteBeta {
    private let a: Double
    private let b: Double
    /// ln Γ(a + b) − ln Γ(a) − ln Γ(b), and the same summed in the complement's order.
    private let logScale: Double
    private let complementLogScale: Double

    init(_ a: Double, _ b: Double) {
        self.a = a
        self.b = b
        let (whole, first, second) = (Self.logGamma(a + b), Self.logGamma(a), Self.logGamma(b))
        logScale = whole - first - second
        complementLogScale = whole - second - first
    }

    func value(at x: Double) -> Double {
        // The fraction converges fast below the mean; above it the complement is used.
        x > (a + 1) / (a + b + 2)
            ? 1 - Self.fraction(b, a, complementLogScale, at: 1 - x) : Self.fraction(a, b, logScale, at: x)
    }

    private static func fraction(_ a: Double, _ b: Double, _ logScale: Double, at x: Double) -> Double {
        let scale = exp(logScale + a * log(x) + b * log1p(-x)) / a
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
