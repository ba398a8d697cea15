import Basics
import Checkers
import Contracts
import Testing

/// S10 to S12 by acknowledgements, and what role samples can and cannot show.
@Suite struct SplitBrainTests {
    let none = SplitBrain()

    func evidence(_ scenario: Scenario, clockError: Span = .zero) -> DualPrimary {
        let acknowledged = scenario.history.operations.filter(\.isGood).sorted { $0.end < $1.end }
        return PrimaryEvidence(terms: AcknowledgementTerm.terms(of: acknowledged), clockError: clockError).dual()
    }

    @Test func s10TheWindowRunsFromTheSecondsFirstToTheFirstsLast() {
        var scenario = Scenario()
        scenario.writes(1...4_000, from: 0)
        scenario.fault(19, evidence: "frozen")
        scenario.writes(4_001...7_000, from: 20, node: "pg-2")
        let result = scenario.judged(none)
        #expect(result.verdict == .fail)
        #expect(result.bounds(are: 19.989, 19.991))
        #expect(scenario.judged(SplitBrain(limit: .milliseconds(19_990))).verdict == .inconclusive)
        #expect(scenario.judged(SplitBrain(limit: .milliseconds(19_991))).verdict == .pass)
        #expect(result.part("conflicting-writes") ?? 0 >= 3_990)
    }

    @Test func s11AcknowledgementsThatOnlyTouchAreInconclusive() {
        var scenario = Scenario()
        scenario.writes(1...1_980, from: 0)
        scenario.write(1_999, 19.9, 20.3)
        scenario.fault(19, evidence: "frozen")
        scenario.write(2_000, 20.1, 20.2, node: "pg-2")
        scenario.writes(2_001...2_500, from: 20.4, node: "pg-2")
        let result = scenario.judged(none)
        #expect(result.verdict == .inconclusive)
        #expect(result.bounds(are: 0, 0.2))
    }

    @Test func s12TwoProbersMayDisagreeByTheirClocks() {
        var scenario = Scenario()
        scenario.writes(1...1_999, from: 0)
        scenario.write(2_000, 19.995, 20.000)
        scenario.writes(2_001...3_000, from: 20.005, node: "pg-2")
        #expect(evidence(scenario).judged(atMost: .zero) == .pass)
        #expect(evidence(scenario).bounds == SpanBounds(.zero, .zero))
        let apart = evidence(scenario, clockError: .milliseconds(50))
        #expect(apart.judged(atMost: .zero) == .inconclusive)
        #expect(apart.bounds == SpanBounds(.zero, .milliseconds(45)))
    }

    @Test func aFailbackIsNoSplit() {
        var scenario = Scenario()
        scenario.writes(1...100, from: 0)
        scenario.fault(1)
        scenario.writes(101...200, from: 10, node: "pg-2")
        scenario.writes(201...300, from: 20)
        let result = scenario.judged(none)
        #expect(result.verdict == .pass)
        #expect(result.bounds(are: 0, 0))
    }

    @Test func aLedgerWithoutNodesShowsNothing() {
        var scenario = Scenario()
        scenario.writes(1...1_000, from: 0, node: .none)
        scenario.fault(1)
        #expect(scenario.judged(none).verdict == .inconclusive)
    }

    @Test func aWriteOfAnUnknownNodeMayBeASecondPrimarys() {
        var scenario = Scenario()
        scenario.writes(1...100, from: 0)
        scenario.fault(1)
        scenario.writes(101...200, from: 10, node: "pg-2")
        scenario.write(201, 11, 11.001, node: .none)
        let result = scenario.judged(none)
        #expect(result.verdict == .inconclusive)
        #expect(result.reason.contains("for 1 writes after the fault"))
    }

    // MARK: By role

    /// pg-1 is primary until `gone`, then gives no answer; pg-2 is promoted at 20; pg-3 stays a replica.
    func failover(gone: Double, silence: Label, back: Double = 60, as role: Label = "replica") -> Scenario {
        var scenario = Scenario()
        scenario.roles(
            "pg-1", until: 70, state: { $0 < gone ? "primary" : $0 < back ? nil : role }, silence: silence)
        scenario.roles("pg-2", until: 70, offset: 0.010, state: { $0 < 20 ? "replica" : "primary" })
        scenario.roles("pg-3", until: 70, offset: 0.020, state: { _ in "replica" })
        return scenario
    }

    @Test func aKilledPrimaryIsDoneWithAtItsExit() {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, 5.003, target: "squall-pg-1")
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .pass)
        #expect(result.bounds(are: 0, 0))
    }

    @Test func theExitOfAnotherNodeProvesNothing() {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, 5.003, target: "squall-pg-11")
        #expect(scenario.judged(none, probe: "roles").verdict == .inconclusive)
    }

    @Test func aFrozenPrimaryCannotHide() {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, kind: "container.pause", target: "squall-pg-1", evidence: "the freezer reads FROZEN")
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .inconclusive)
        // pg-2 may be primary from its last look as a replica at 19.960, pg-1 until the look that ends at 60.002.
        #expect(result.bounds(are: 0, 40.042))
    }

    @Test func aPartitionedPrimaryCannotHideBehindAFirewall() {
        var scenario = failover(gone: 5, silence: "refused")
        scenario.fault(5, kind: "network.partition", target: "squall-pg-1", evidence: "rule read back")
        #expect(scenario.judged(none, probe: "roles").verdict == .inconclusive)
    }

    @Test func aPortThatRefusesHasNoPrimaryBehindIt() {
        var scenario = failover(gone: 5, silence: "refused")
        scenario.fault(5, kind: "patroni.switchover", target: "squall-pg-1", evidence: "leader changed")
        #expect(scenario.judged(none, probe: "roles").verdict == .pass)
    }

    @Test func twoNodesThatBothSaySoForSecondsFail() {
        var scenario = failover(gone: 40, silence: "timeout")
        scenario.fault(5, kind: "process.signal", target: "squall-pg-1", evidence: "patroni is stopped")
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .fail)
        // Certain from the end of pg-2's first look as primary (20.012) to the start of pg-1's last (39.950).
        #expect(isClose(result.lower, 19.938))
        #expect(result.reason.contains("two nodes were primary at once"))
    }

    @Test func aSingleLookAtASecondPrimaryIsEnough() {
        var scenario = failover(gone: 5, silence: "timeout", back: 60, as: "replica")
        scenario.fault(5, kind: "container.pause", target: "squall-pg-1", evidence: "the freezer reads FROZEN")
        scenario.history.append(
            .state(StateSample(probe: "roles", node: "pg-1", sent: at(59.96), end: at(59.97), state: "primary")))
        #expect(scenario.judged(none, probe: "roles").verdict == .fail)
        #expect(scenario.judged(SplitBrain(limit: .minutes(1)), probe: "roles").verdict == .pass)
    }

    @Test func acknowledgementsByTwoNodesDecideWhateverTheRolesSay() {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, 5.003, target: "squall-pg-1")
        scenario.writes(1...3_000, from: 0)
        scenario.writes(3_001...5_000, from: 20, node: "pg-2")
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .fail)
        #expect(isClose(result.part("dual-primary"), 9.989))
        #expect(result.part("dual-role") == 0)
    }

    /// Each node of a cluster acknowledges writes of its own keys: only two of one shard are a split.
    @Test(arguments: [("pg-2", Verdict.fail), ("other-shard", .pass)])
    func nodesOfOtherShardsAcknowledgeRightly(node: String, verdict: Verdict) {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, 5.003, target: "squall-pg-1")
        scenario.writes(1...3_000, from: 0, path: "cluster")
        scenario.writes(3_001...5_000, from: 20, node: Label(node), path: "cluster")
        #expect(scenario.judged(none, probe: "roles").verdict == verdict)
    }

    @Test func aNodeThatNeverAnsweredMayHaveBeenPrimary() {
        var scenario = failover(gone: 5, silence: "timeout")
        scenario.fault(5, 5.003, target: "squall-pg-1")
        scenario.roles("pg-4", until: 70, state: { _ in nil })
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .inconclusive)
        #expect(result.reason.contains("pg-4 never answered"))
    }

    @Test(arguments: ["no samples", "not after the fault", "one node", "unproven", "no primary"])
    func whatIsMissingMakesItInconclusive(_ what: String) {
        var scenario = Scenario()
        if what == "unproven" { scenario.unprovenFault(5) } else { scenario.fault(5, target: "pg-1") }
        let end = what == "not after the fault" ? 4.0 : 20
        if what != "no samples" {
            scenario.roles("pg-1", until: end, state: { _ in what == "no primary" ? "replica" : "primary" })
        }
        if what != "no samples" && what != "one node" { scenario.roles("pg-2", until: end, state: { _ in "replica" }) }
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .inconclusive)
        #expect(!result.reason.isEmpty)
    }

    @Test func r11WithoutAFaultThereIsOnePrimary() {
        var scenario = Scenario()
        scenario.roles("pg-1", until: 60, state: { _ in "primary" })
        scenario.roles("pg-2", until: 60, state: { _ in "replica" })
        let result = scenario.judged(none, probe: "roles")
        #expect(result.verdict == .pass)
        #expect(result.bounds(are: 0, 0))
    }
}
