import Checkers
import Testing

/// The tables of the verdict formulas, recomputed.
@Suite struct StatisticsTests {
    @Test(arguments: [(299, 0), (473, 1), (628, 2), (1_000, 4), (3_000, 20), (10_000, 83)])
    func aP99AllowsThatManyAbove(samples: Int, allowed: Int) {
        #expect(PercentileProof.allowedAbove(samples: samples, quantile: 0.99) == allowed)
        #expect(PercentileProof(quantile: 0.99, samples: samples, above: allowed).isShown)
        #expect(!PercentileProof(quantile: 0.99, samples: samples, above: allowed + 1).isShown)
    }

    @Test func tooFewSamplesShowNothing() {
        #expect(PercentileProof.minimumSamples(quantile: 0.99) == 299)
        #expect(PercentileProof.minimumSamples(quantile: 0.95) == 59)
        #expect(PercentileProof.minimumSamples(quantile: 0.90) == 29)
        #expect(PercentileProof.allowedAbove(samples: 298, quantile: 0.99) == nil)
        #expect(!PercentileProof(quantile: 0.99, samples: 298, above: 0).isShown)
        #expect(!PercentileProof(quantile: 0.99, samples: 0, above: 0).isShown)
    }

    @Test(arguments: [(0.000, 299), (0.001, 492), (0.003, 631), (0.005, 1_199), (0.008, 7_338)])
    func theUpperBoundOfAnErrorRateFallsBelowOnePercent(rate: Double, samples: Int) {
        func upper(_ count: Int) -> Double {
            Binomial.bounds(Int((rate * Double(count)).rounded(.up)), of: count).upper
        }
        #expect(upper(samples) < 0.01)
        #expect(upper(samples * 9 / 10) > 0.01)
    }

    @Test func theDistributionIsExact() {
        // By hand: 1 - 0.5^10, and (10 choose 0…3) / 2^10.
        #expect(isClose(Binomial.cumulative(9, of: 10, probability: 0.5), 1 - 1.0 / 1_024, within: 1e-12))
        #expect(isClose(Binomial.cumulative(3, of: 10, probability: 0.5), 176.0 / 1_024, within: 1e-12))
        #expect(Binomial.cumulative(10, of: 10, probability: 0.5) == 1)
        #expect(Binomial.cumulative(-1, of: 10, probability: 0.5) == 0)
        #expect(isClose(Binomial.cumulative(0, of: 600_000, probability: 1e-6), 0.5488114712, within: 1e-8))
    }

    @Test func theDistributionAgreesWithASumOfItsTerms() {
        for (count, probability) in [(50, 0.1), (200, 0.37), (299, 0.01), (1_000, 0.05)] {
            var term = 1.0
            for _ in 0..<count { term *= 1 - probability }
            var sum = 0.0
            for k in 0..<(count / 4) {
                sum += term
                let exact = Binomial.cumulative(k, of: count, probability: probability)
                #expect(isClose(exact, sum, within: 1e-9), "k \(k) of \(count)")
                term *= Double(count - k) / Double(k + 1) * probability / (1 - probability)
            }
        }
    }

    @Test func clopperPearsonBoundsKnownCases() {
        #expect(isClose(Binomial.bounds(0, of: 299).upper, 0.00997, within: 1e-5))
        #expect(Binomial.bounds(0, of: 0).upper == 1)
        let half = Binomial.bounds(5, of: 10, significance: 0.025)
        #expect(isClose(half.lower, 0.1871, within: 1e-4) && isClose(half.upper, 0.8129, within: 1e-4))
    }

    @Test func percentilesAreByNearestRank() {
        let hundred = OrderStatistics((1...100).map(Double.init))
        #expect(hundred.percentile(0.5) == 50)
        #expect(hundred.percentile(0.99) == 99)
        #expect(hundred.percentile(1) == 100)
        #expect(hundred.above(97) == 3)
        let censored = OrderStatistics((1...98).map(Double.init), unserved: 2)
        #expect(censored.percentile(0.98) == 98)
        #expect(censored.percentile(0.99) == nil)
        #expect(censored.above(97) == 3)
        #expect(OrderStatistics([]).percentile(0.5) == nil)
    }

    @Test func aP95OfAThousandLiesBetweenTheRanks936And964() {
        let interval = OrderStatistics((1...1_000).map(Double.init)).interval(0.95)
        #expect(interval.lower == 936)
        #expect(interval.upper == 964)
    }

    @Test func aPercentileIsRefutedWhenTooManyAreAbove() {
        #expect(PercentileProof(quantile: 0.99, samples: 1_000, above: 17).isRefuted)
        let undecided = PercentileProof(quantile: 0.99, samples: 1_000, above: 10)
        #expect(!undecided.isRefuted && !undecided.isShown)
        #expect(undecided.samplesNeeded == nil)
        #expect((PercentileProof(quantile: 0.99, samples: 100, above: 0).samplesNeeded ?? 0) == 299)
    }
}
