internal import Glibc

extension Impairment.Distribution {
    private static let normalTable = table(of: normalQuantile)
    private static let paretoTable = table(of: paretoQuantile)
    /// A quarter of the one and three quarters of the other, quantile by quantile: mostly near its middle, now and then late.
    private static let mixedTable = table { 0.25 * normalQuantile($0) + 0.75 * paretoQuantile($0) }

    /// Values of which netem draws one for each packet, in 8,192nds of the jitter; nil for uniform, which it does itself.
    ///
    /// The mean of each is 0 and its standard deviation 1 (8,192): the delay stays the mean of what is measured, and the
    /// jitter its deviation. netem keeps 16 bits, so that no packet is later than four times the jitter.
    var table: [Int16]? {
        switch self {
        case .uniform: nil
        case .normal: Self.normalTable
        case .pareto: Self.paretoTable
        case .paretonormal: Self.mixedTable
        }
    }

    private static let scale = 8_192.0
    private static let count = 4_096

    /// Quantiles at the middles of `count` equal parts. Cutting the tail off moves mean and deviation, which is put right
    /// again a few times until it stays.
    private static func table(of quantile: (Double) -> Double) -> [Int16] {
        var values = (0..<count).map { quantile((Double($0) + 0.5) / Double(count)) }
        for _ in 0..<64 {
            let mean = values.reduce(0, +) / Double(count)
            let deviation = sqrt(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
            values = values.map { min(max(($0 - mean) / deviation, -3.99), 3.99) }
        }
        return values.map { Int16(($0 * scale).rounded()) }
    }

    /// The value below which a share of a normal distribution lies, by Newton's method on its distribution function.
    private static func normalQuantile(_ share: Double) -> Double {
        var value = 0.0
        for _ in 0..<60 {
            let error = 0.5 * erfc(-value / 2.0.squareRoot()) - share
            let density = exp(-value * value / 2) / (2 * Double.pi).squareRoot()
            // Far out the density is tiny: a step is never longer than 1.
            let step = min(max(error / density, -1), 1)
            value -= step
            if abs(step) < 1e-12 { break }
        }
        return value
    }

    /// The same of a Pareto distribution with the exponent 3, moved and scaled to mean 0 and deviation 1: its mean is 3/2
    /// and its variance 3/4.
    private static func paretoQuantile(_ share: Double) -> Double {
        (pow(1 - share, -1.0 / 3) - 1.5) / 0.75.squareRoot()
    }
}
