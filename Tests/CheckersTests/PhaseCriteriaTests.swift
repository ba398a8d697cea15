import Basics
import Checkers
import Contracts
import Experiment
import Testing

/// Availability (S14, S18), latency (S6), error rate, throughput, replication lag: pass, fail and inconclusive each.
@Suite struct PhaseCriteriaTests {
    func availability(_ percent: Double, window: Double = 100, per unit: Availability.Unit = .request) -> Availability {
        Availability(minimum: Share(fraction: percent / 100), window: Span(seconds: window), unit: unit)
    }

    /// 1,000 arrivals in 10 s: 982 ok, 5 failed, 3 unknown, 10 never sent.
    func fourteen() -> Scenario {
        var scenario = Scenario()
        scenario.fault(5)
        for index in 0..<1_000 {
            let due = at(5 + Double(index) * 0.010)
            let outcome: Outcome = index < 982 ? .ok : index < 987 ? .failed : index < 990 ? .unknown : .failed
            scenario.history.append(
                .operation(
                    Operation(
                        probe: "orders", path: "fresh", action: .write, sequence: Int64(index), due: due,
                        sent: index < 990 ? due : nil, end: due + .milliseconds(1), outcome: outcome)))
        }
        return scenario
    }

    @Test(arguments: [(98.2, Verdict.pass), (98.3, .fail), (98.1, .pass)])
    func s14EveryDueArrivalCounts(limit: Double, verdict: Verdict) {
        let result = fourteen().judged(availability(limit, window: 10))
        #expect(isClose(result.measured, 98.2))
        #expect(result.verdict == verdict)
        #expect(result.samples == 1_000)
    }

    @Test func availabilityByTimeCountsSlots() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 120, down: [(10, 22)])
        let result = scenario.judged(availability(88, per: .time))
        #expect(result.verdict == .pass)
        #expect(isClose(result.measured, 88))
        #expect(scenario.judged(availability(88.1, per: .time)).verdict == .fail)
    }

    @Test func aWindowNotObservedToItsEndIsInconclusiveUnlessItIsLostAlready() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 65, down: [(10, 22)])
        let result = scenario.judged(availability(70))
        #expect(result.verdict == .inconclusive)
        #expect(result.reason == "40s of the 1m40s window were not observed: let the run observe longer")
        #expect(result.bounds(are: 48, 88))
        #expect(scenario.judged(availability(90)).verdict == .fail)
    }

    @Test func s18AProberStallIsNotCharged() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 120, down: [(50, 53)], failure: .fast)
        #expect(scenario.judged(availability(99)).verdict == .fail)
        scenario.history.append(.stall(ProberStall(from: at(50), to: at(53))))
        let result = scenario.judged(availability(99))
        #expect(result.measured == 100)
        #expect(result.verdict == .inconclusive)
        #expect(result.reason.contains("prober stalled"))
        #expect(scenario.judged(availability(96)).verdict == .pass)
    }

    @Test func whatSucceededInAStallCountsAsServedButNotAsFast() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 120, down: [(50, 50.5)], failure: .waits)
        scenario.history.append(.stall(ProberStall(from: at(50), to: at(50.5))))
        let result = scenario.judged(availability(100))
        #expect(result.verdict == .pass && result.samples == 10_000)
        let latency = scenario.judged(Latency(limits: [PercentileLimit("max", 1, .milliseconds(2))]))
        #expect(latency.verdict == .pass)
        // The interval is closed: the arrival due at its very end is spoiled too.
        #expect(latency.part("stalled") == 51)
    }

    @Test func aGeneratorThatPausesIsNotHealthy() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 50)
        scenario.openLoop(from: 60, until: 120, firstSequence: 10_000)
        let result = scenario.judged(availability(99))
        #expect(result.verdict == .inconclusive)
        #expect(result.part("missing") == 1_000)
    }

    @Test func r11AvailabilityWithoutAFaultIsComplete() {
        var scenario = Scenario()
        scenario.openLoop(until: 120)
        let result = scenario.judged(availability(100))
        #expect(result.verdict == .pass && result.measured == 100)
    }

    // MARK: Latency

    let p95 = PercentileLimit("p95", 0.95, .milliseconds(5_200))
    let p99 = PercentileLimit("p99", 0.99, .milliseconds(9_100))

    /// 100 s at 1,000/s; for 10 s nothing is answered, then everything at once.
    static let stalled: Scenario = {
        var scenario = Scenario()
        scenario.openLoop(until: 100, interval: 0.001, down: [(40, 50)], failure: .waits)
        return scenario
    }()
    static let stalledWithTimeout = stall(timeout: 1)

    /// The same with clients that give up.
    static func stall(timeout: Double) -> Scenario {
        var cut = Scenario()
        for operation in stalled.history.operations {
            var operation = operation
            if operation.latency > Span(seconds: timeout) {
                operation.end = operation.due + Span(seconds: timeout)
                operation.outcome = .unknown
            }
            cut.history.append(.operation(operation))
        }
        return cut
    }

    @Test func s6AnOpenLoopSeesTheStall() {
        let result = Self.stalled.judged(Latency(limits: [p95, p99]))
        #expect(isClose(result.part("p95"), 5_000, within: 5))
        #expect(isClose(result.part("p99"), 9_000, within: 5))
        #expect(result.verdict == .pass)
        let tight = PercentileLimit("p99", 0.99, .milliseconds(8_900))
        #expect(Self.stalled.judged(Latency(limits: [tight])).verdict == .fail)
    }

    @Test func s6AClosedLoopHidesIt() {
        var scenario = Scenario()
        var now = 0.0
        var sequence: Int64 = 0
        while now < 100 {
            let end = 40 <= now && now < 50 ? 50.001 : now + 0.001
            scenario.write(sequence, now, end)
            now = end
            sequence += 1
        }
        let result = scenario.judged(Latency(limits: [p99]))
        #expect(isClose(result.measured, 1, within: 1e-3))
    }

    @Test func s6WithATimeoutNineSecondsOfArrivalsFail() {
        let scenario = Self.stalledWithTimeout
        let result = scenario.judged(availability(91, window: 99))
        // The window starts at 1.0 s: 9,000 of 99,000 arrivals fail; over all 100 s it is 91 %.
        #expect(isClose(result.measured, 100 - 9_000.0 / 990, within: 0.01))
        let errors = scenario.judged(ErrorRate(limit: Share(fraction: 0.1)))
        #expect(isClose(errors.measured, 9, within: 0.01))
        #expect(scenario.judged(Latency(limits: [p95])).measured == nil)
        #expect(scenario.judged(Latency(limits: [p95])).verdict == .fail)
    }

    @Test func aPercentileNeedsItsSamples() {
        func judged(_ count: Int) -> CriterionResult {
            var scenario = Scenario()
            scenario.openLoop(until: Double(count) / 100)
            scenario.history.append(.phase(.injecting, at: at(0)))
            return scenario.judged(Latency(limits: [PercentileLimit("p99", 0.99, .milliseconds(2))]))
        }
        #expect(judged(299).verdict == .pass)
        #expect(judged(298).verdict == .inconclusive)
        #expect(judged(298).reason.contains("299 samples are needed"))
    }

    @Test func thePhaseCutsTheOperations() {
        var scenario = Scenario()
        scenario.openLoop(until: 60, down: [(20, 30)])
        scenario.fault(20, healed: 40)
        scenario.history.append(.phase(.healing, at: at(40)))
        func judged(_ phase: JudgedPhase) -> CriterionResult {
            scenario.judged(ErrorRate(limit: Share(fraction: 0.01), phase: phase))
        }
        #expect(judged(.before).verdict == .pass && judged(.before).samples == 2_000)
        #expect(judged(.during).verdict == .fail && isClose(judged(.during).measured, 50))
        #expect(judged(.recovery).verdict == .pass && judged(.recovery).samples == 2_000)
        #expect(judged(.all).samples == 6_000)
    }

    // MARK: Error rate and throughput

    @Test(arguments: [
        (0, 299, 1.0, Verdict.pass), (0, 298, 1, .inconclusive), (20, 1_000, 1, .fail),
        (10, 1_000, 1, .inconclusive), (0, 50, 0, .pass), (1, 10_000, 0, .fail),
    ])
    func anErrorRateIsASampledShare(bad: Int, count: Int, percent: Double, verdict: Verdict) {
        var scenario = Scenario()
        for index in 0..<count {
            let due = Double(index) * 0.010
            scenario.write(Int64(index), due, due + 0.001, outcome: index < bad ? .failed : .ok)
        }
        #expect(scenario.judged(ErrorRate(limit: Share(fraction: percent / 100))).verdict == verdict)
    }

    @Test func throughputCountsWhatWasServed() {
        var scenario = Scenario()
        scenario.openLoop(until: 100, down: [(10, 20)])
        #expect(isClose(scenario.judged(Throughput(minimum: Rate(perSecond: 90))).measured, 90))
        #expect(scenario.judged(Throughput(minimum: Rate(perSecond: 90))).verdict == .pass)
        #expect(scenario.judged(Throughput(minimum: Rate(perSecond: 90.1))).verdict == .fail)
        scenario.history.append(.stall(ProberStall(from: at(19), to: at(19.995))))
        #expect(scenario.judged(Throughput(minimum: Rate(perSecond: 90.5))).verdict == .inconclusive)
    }

    // MARK: Replication lag

    func lag(_ values: [(Double, censored: Bool)]) -> Scenario {
        var scenario = Scenario()
        for (index, value) in values.enumerated() {
            scenario.history.append(
                .measurement(
                    Measurement(
                        probe: "lag", node: "pg-2", metric: "lag", at: at(Double(index) * 0.1), value: value.0,
                        unit: .seconds, isCensored: value.censored)))
        }
        return scenario
    }

    @Test func replicationLagIsOverTimeAndCensored() {
        let checker = ReplicationLag(limits: [PercentileLimit("p99", 0.99, .milliseconds(100))])
        let good = [(Double, censored: Bool)](repeating: (0.020, false), count: 1_000)
        #expect(lag(good).judged(checker, probe: "lag").verdict == .pass)
        #expect(isClose(lag(good).judged(checker, probe: "lag").measured, 20))
        // Unreachable for 2 s: at least 2 s behind, so certainly above.
        let gone = good.dropLast(40) + (1...40).map { (Double($0) * 0.1 + 0.1, true) }
        #expect(lag(Array(gone)).judged(checker, probe: "lag").verdict == .fail)
        // At least 50 ms behind: may or may not be above.
        let unknown = good.dropLast(40) + (1...40).map { _ in (0.050, true) }
        #expect(lag(Array(unknown)).judged(checker, probe: "lag").verdict == .inconclusive)
        #expect(lag([]).judged(checker, probe: "lag").verdict == .inconclusive)
    }
}
