import Basics
import Checkers
import Contracts
import Testing

/// Random services with a known truth: no bound may ever exclude it, and none may be wider than sampling explains.
@Suite struct OracleTests {
    /// One random service: when it was down, and the observations of it.
    struct World {
        var scenario = Scenario()
        var fault: Double
        var back: Double
        var interval: Double
        var longestService = 0.0

        init(seed: UInt64) {
            var random = SeededGenerator(seed: seed)
            fault = Double.random(in: 5...8, using: &random)
            back = fault + Double.random(in: 0.2...20, using: &random)
            interval = [0.005, 0.010, 0.050].randomElement(using: &random) ?? 0.010
            let hangs = Bool.random(using: &random)
            let phase = Double.random(in: 0..<interval, using: &random)
            scenario.fault(fault)
            var sequence: Int64 = 0
            var due = phase
            while due < back + 15 {
                let service = Double.random(in: 0.0005...0.004, using: &random)
                longestService = max(longestService, service)
                // The system takes the operation half-way: it is served when it is up at that instant.
                let arrival = due + service / 2
                let isDown = fault <= arrival && arrival < back
                let end = isDown && hangs ? due + 0.8 : due + service
                scenario.write(sequence, due, end, outcome: isDown ? (hangs ? .unknown : .failed) : .ok)
                sequence += 1
                due += interval
            }
        }
    }

    @Test(arguments: 0..<60)
    func theBoundsHoldTheTruth(seed: Int) {
        let world = World(seed: UInt64(seed))
        let result = world.scenario.judged(RecoveryTime(limit: .seconds(60)))
        let truth = world.back - world.fault
        #expect(result.verdict == .pass, "seed \(seed): \(result.reason)")
        guard let lower = result.lower, let upper = result.upper else {
            Issue.record("seed \(seed): no bounds")
            return
        }
        #expect(lower <= truth + 1e-6 && truth <= upper + 1e-6, "seed \(seed): \(lower)...\(upper), truth \(truth)")
        #expect(upper - lower <= world.interval + world.longestService + 1e-6, "seed \(seed)")
    }

    @Test(arguments: 0..<60)
    func theBoundsAgreeWithABruteForceSearch(seed: Int) {
        var random = SeededGenerator(seed: UInt64(1_000 + seed))
        // Flapping: good and bad stretches of random length, then good for good.
        var edges = [5.0]
        while edges.count < 8 { edges.append((edges.last ?? 0) + Double.random(in: 0.05...3, using: &random)) }
        let down = stride(from: 0, to: 8, by: 2).map { (edges[$0], edges[$0 + 1]) }
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: edges[7] + 15, down: down)
        let hold = Double.random(in: 0.5...4, using: &random)
        let result = scenario.judged(RecoveryTime(limit: .seconds(60), hold: Span(seconds: hold)))
        let expected = bruteForce(scenario.history.operations, hold: Span(seconds: hold))
        #expect(isClose(result.upper, expected), "seed \(seed)")
    }

    /// The definition itself, quadratic: the first good arrival after the first failure whose hold window succeeds.
    func bruteForce(_ operations: [Operation], hold: Span) -> Double {
        let onset = operations.firstIndex { !$0.isGood && $0.end >= at(5) } ?? 0
        for candidate in operations[onset...] where candidate.isGood {
            let window = operations.filter { candidate.due <= $0.due && $0.due <= candidate.due + hold }
            if Double(window.count(where: \.isGood)) >= 0.99 * Double(window.count) {
                return (candidate.end - at(5)).seconds
            }
        }
        return .infinity
    }

    @Test(arguments: 0..<40)
    func lossesAgreeWithSets(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var scenario = Scenario()
        scenario.fault(1.5)
        var present: Set<Int64> = []
        var outcomes: [Int64: Outcome] = [:]
        for sequence in Int64(1)...400 {
            let outcome = Outcome.allCases.randomElement(using: &random) ?? .ok
            outcomes[sequence] = outcome
            if Int.random(in: 0..<10, using: &random) < (outcome == .failed ? 1 : 8) { present.insert(sequence) }
            scenario.write(sequence, 1 + Double(sequence) / 100, 1.001 + Double(sequence) / 100, outcome: outcome)
        }
        if seed % 4 == 0 { present.insert(999) }
        scenario.readBack(present.map { $0...$0 })
        let result = scenario.judged(DataLoss(maxLostWrites: 400))
        func count(_ outcome: Outcome, there: Bool) -> Double {
            Double(outcomes.count { $0.value == outcome && present.contains($0.key) == there })
        }
        #expect(result.measured == count(.ok, there: false), "seed \(seed)")
        #expect(result.part("recovered") == count(.unknown, there: true))
        #expect(result.part("unresolved") == count(.unknown, there: false))
        #expect(result.part("resurrected") == count(.failed, there: true))
        #expect(result.part("unexpected") == (seed % 4 == 0 ? 1 : 0))
    }
}
