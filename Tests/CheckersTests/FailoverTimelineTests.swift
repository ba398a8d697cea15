import Basics
import Checkers
import Contracts
import Testing

/// The phases of a failover, from probes that know them and from probes that do not.
@Suite struct FailoverTimelineTests {
    /// pg-1 dies at 30; pg-2 says it is primary from 45; the direct path works from 46, clients from 47 (kept
    /// connections from 49), slow until 60; pg-1 is a replica again at 80.
    func failover() -> Scenario {
        var scenario = Scenario()
        scenario.fault(30)
        scenario.history.append(.note(Note(at: at(40), source: "patroni", message: "detected: the leader key expired")))
        scenario.roles(
            "pg-1", until: 120, state: { $0 < 30 ? "primary" : $0 < 80 ? nil : "replica" }, silence: "refused")
        scenario.roles("pg-2", until: 120, state: { $0 < 45 ? "replica" : "primary" })
        func node(_ due: Double) -> Label { due < 30 ? "pg-1" : "pg-2" }
        scenario.openLoop(until: 60, down: [(30, 47)], path: "fresh", node: node)
        scenario.openLoop(
            from: 60, until: 120, path: "fresh", node: node, firstSequence: 20_000)
        scenario.openLoop(until: 120, down: [(30, 49)], path: "kept", node: node, firstSequence: 40_000)
        for index in 0..<1_100 {
            let due = 46 + Double(index) * 0.05
            scenario.write(Int64(60_000 + index), due, due + 0.001, node: "pg-2", probe: "direct")
        }
        return scenario
    }

    @Test func everyMarkIsTakenFromWhoeverKnowsIt() {
        let result = failover().judged(RecoveryTime(limit: .seconds(30)))
        #expect(result.verdict == .pass)
        for (name, seconds) in [
            ("t0", 0.0), ("t1", 0), ("t2", 10), ("t3", 15.002), ("t4", 16.001), ("t5", 17.001), ("t6", 19.001),
            ("t8", 50.002),
        ] {
            #expect(isClose(result.part(name), seconds, within: 0.051), "\(name)")
        }
        #expect(isClose(result.part("detection"), 10))
        #expect(isClose(result.part("promotion"), 6.001, within: 0.051))
        #expect(isClose(result.part("reconnection"), 1, within: 0.051))
        #expect(isClose(result.part("fleet tail"), 2, within: 0.02))
        #expect(isClose(result.part("exposure"), 50, within: 0.1))
        // Nothing was slower than before, so the service was normal as soon as the last path was back.
        #expect(isClose(result.part("degraded"), 0, within: 0.02))
    }

    @Test func whatNoProbeSawIsNotMadeUp() {
        var scenario = Scenario()
        scenario.fault(5)
        scenario.openLoop(until: 40, down: [(5, 12.345)])
        let result = scenario.judged(RecoveryTime(limit: .seconds(30)))
        for name in ["t2", "t3", "t4", "t8", "exposure"] {
            let part = result.parts.first { $0.name == name }
            #expect(part != nil && part?.value == nil, "\(name)")
        }
        #expect(isClose(result.part("t5"), 7.351))
        #expect(isClose(result.part("until first success"), 7.351))
        #expect(!result.parts.contains { ["detection", "promotion", "reconnection"].contains($0.name) })
    }

    @Test func aSlowerPrimaryIsDegradedUntilItIsNot() {
        var scenario = Scenario()
        scenario.fault(20)
        scenario.openLoop(until: 30, down: [(20, 25)])
        scenario.openLoop(from: 30, until: 50, service: 0.020, firstSequence: 10_000)
        scenario.openLoop(from: 50, until: 80, firstSequence: 20_000)
        let result = scenario.judged(RecoveryTime(limit: .seconds(30)))
        #expect(isClose(result.part("t6"), 5.001, within: 0.011))
        // 95 % of a 10 s window are fast again from half a second before 50 on.
        #expect(isClose(result.part("t7"), 29.5, within: 0.6))
    }
}
