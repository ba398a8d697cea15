import Basics
import Testing

@testable import Network

/// What is decided about an impairment without a kernel: its tables, its packets, and whether it was seen.
@Suite struct ImpairmentTests {
    // MARK: Distributions

    @Test(arguments: [Impairment.Distribution.normal, .pareto, .paretonormal])
    func aDistributionHasItsMeanAtTheDelayAndItsDeviationAtTheJitter(distribution: Impairment.Distribution) throws {
        let table = try #require(distribution.table).map { Double($0) / 8_192 }
        #expect(table.count == 4_096)
        let mean = table.reduce(0, +) / 4_096
        let variance = table.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4_096
        #expect(abs(mean) < 0.002)
        #expect(abs(variance - 1) < 0.01)
        #expect(table == table.sorted())
        #expect((table.last ?? 0) > 3 && (table.last ?? 9) < 4)
    }

    @Test func aNormalDistributionHasTwoThirdsWithinOneDeviationAndAParetoIsSkewed() throws {
        let normal = try #require(Impairment.Distribution.normal.table)
        #expect(abs(Double(normal.filter { abs(Int($0)) <= 8_192 }.count) / 4_096 - 0.6827) < 0.003)
        let pareto = try #require(Impairment.Distribution.pareto.table)
        #expect(Double(pareto.filter { $0 < 0 }.count) / 4_096 > 0.6)
        #expect(Impairment.Distribution.uniform.table == nil)
    }

    @Test func theQueueHoldsWhatWaits() {
        func limit(_ delay: Span) -> UInt32 {
            var impairment = Impairment()
            impairment.delay = delay
            return NetemOptions(impairment: impairment).limit
        }
        #expect(limit(.milliseconds(1)) == 1_000)
        #expect(limit(.milliseconds(100)) == 20_000)
        #expect(limit(.minutes(4)) == 200_000)
    }

    // MARK: Selections

    private func selection(
        _ direction: FlowDirection = .egress, _ protocols: [Traffic.TransportProtocol] = [], _ ports: [String] = [],
        _ peers: [String]? = nil
    ) -> PacketSelection {
        PacketSelection(
            direction: direction,
            traffic: Traffic(protocols: protocols, ports: ports.compactMap { PortRange(parsing: $0) }),
            peers: peers?.compactMap { AddressRange(parsing: $0) })
    }

    @Test func selectionsAreApartByWayPeerProtocolOrPort() {
        let all = selection()
        #expect(all.overlaps(all))
        #expect(!all.overlaps(selection(.ingress)))
        #expect(all.overlaps(selection(.both, [.tcp])))
        #expect(!selection(.egress, [.tcp]).overlaps(selection(.egress, [.udp])))
        #expect(!selection(.egress, [], ["80"]).overlaps(selection(.egress, [], ["81-90"])))
        #expect(selection(.egress, [], ["80-85"]).overlaps(selection(.egress, [.tcp], ["81-90"])))
        #expect(!selection(.egress, [.icmp]).overlaps(selection(.egress, [], ["80"])))
        #expect(!selection(peers: "10.0.0.0/8").overlaps(selection(peers: "192.0.2.1")))
        #expect(selection(peers: "10.0.0.0/8").overlaps(selection(peers: "10.1.2.3")))
        #expect(all.overlaps(selection(peers: "2001:db8::1")))
    }

    private func selection(peers: String) -> PacketSelection { selection(.egress, [], [], [peers]) }

    // MARK: Judging

    private static let before = observation(20, delay: 0.0001)

    private static func observation(
        _ sent: Int, losing lost: Set<Int> = [], delay: Double, twice: Set<Int> = [], broken: Set<Int> = []
    ) -> FlowObservation {
        var observation = FlowObservation(sent: sent)
        for index in 0..<sent where !lost.contains(index) {
            let arrival = FlowObservation.Arrival(
                index: index, after: Span(seconds: delay), isIntact: !broken.contains(index))
            observation.arrivals += twice.contains(index) ? [arrival, arrival] : [arrival]
        }
        return observation
    }

    private func impairment(_ change: (inout Impairment) -> Void) -> Impairment {
        var impairment = Impairment()
        change(&impairment)
        return impairment
    }

    private func isShown(_ impairment: Impairment, _ after: FlowObservation, passes: Int = 1) -> Bool {
        if case .shown = EffectJudge(impairment: impairment, passes: passes).judge(Self.before, after) {
            true
        } else {
            false
        }
    }

    @Test func aLossIsShownByItsShareAndByNoOther() {
        let loss = impairment { $0.loss = .independent(0.3, correlation: 0) }
        #expect(isShown(loss, Self.observation(1_000, losing: Set(0..<300), delay: 0.0001)))
        #expect(isShown(loss, Self.observation(1_000, losing: Set(0..<340), delay: 0.0001)))
        #expect(!isShown(loss, Self.observation(1_000, losing: Set(0..<720), delay: 0.0001)))
        #expect(!isShown(loss, Self.observation(1_000, losing: [], delay: 0.0001)))
        #expect(isShown(loss, Self.observation(1_000, losing: Set(0..<510), delay: 0.0001), passes: 2))
    }

    @Test func aDelayIsShownByItsMean() {
        let delay = impairment { $0.delay = .milliseconds(100) }
        #expect(isShown(delay, Self.observation(100, delay: 0.1003)))
        #expect(!isShown(delay, Self.observation(100, delay: 0.0003)))
        #expect(!isShown(delay, Self.observation(100, delay: 0.09)))
        #expect(!isShown(delay, Self.observation(100, delay: 0.2)))
        #expect(isShown(delay, Self.observation(100, delay: 0.2004), passes: 2))
    }

    @Test func whatIsSentTwiceOrBrokenIsCounted() {
        let duplicate = impairment { $0.duplicate = 0.2 }
        #expect(isShown(duplicate, Self.observation(500, delay: 0.0001, twice: Set(0..<95))))
        #expect(!isShown(duplicate, Self.observation(500, delay: 0.0001)))
        let corrupt = impairment { $0.corrupt = 0.2 }
        #expect(isShown(corrupt, Self.observation(500, delay: 0.0001, broken: Set(0..<105))))
        #expect(!isShown(corrupt, Self.observation(500, delay: 0.0001)))
    }

    @Test func nothingIsShownWhereNothingPassedBefore() {
        let loss = impairment { $0.loss = .independent(1, correlation: 0) }
        let silent = FlowObservation(sent: 20)
        let finding = EffectJudge(impairment: loss, passes: 1).judge(silent, silent)
        #expect(finding == .missing("only 0 of 20 packets arrived before"))
    }

    @Test func enoughPacketsAreSentToSeeAShare() {
        #expect(EffectPlan.packets(toSee: 0.3) == 200)
        #expect(EffectPlan.packets(toSee: 0.01) == 2_475)
        #expect(EffectPlan.packets(toSee: 0.000_1) == EffectPlan.mostPackets)
    }
}
