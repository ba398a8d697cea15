import Basics
import Contracts
import Experiment
import Testing

@testable import Network

/// What a file may say about shaping, and what is refused before anything is looked at.
@Suite struct ShapeParameterTests {
    private static let place = Location(file: "t", line: 1, column: 1)

    private static func node(_ text: String) -> Node {
        guard text.hasPrefix("{") else { return word(text) }
        let pairs = text.dropFirst().dropLast().split(separator: ",").map { $0.split(separator: "=") }
        let entries = pairs.map { Node.Entry(String($0[0]), at: place, word(String($0[1]))) }
        return .mapping(.init(entries, at: place))
    }

    /// `delay=100ms jitter=10ms`, a mapping as `{key=value,key=value}`.
    static func read<Kind: Fault>(_ type: Kind.Type, _ text: String) -> (fault: Kind?, findings: [String]) {
        var diagnostics = Diagnostics()
        let entries = text.split(separator: " ").map { part in
            let pair = part.split(separator: "=", maxSplits: 1)
            return Node.Entry(String(pair[0]), at: place, node(String(pair[1])))
        }
        let fault = ParameterReader.read(
            .mapping(.init(entries, at: place)), Kind.parameters, into: &diagnostics
        ) { Kind(from: &$0) }
        return (fault, diagnostics.all.map(\.message))
    }

    private static let kinds: [String: any ShapingFault.Type] = [
        "delay": NetworkDelayFault.self, "loss": NetworkLossFault.self, "rate": NetworkRateFault.self,
        "reorder": NetworkReorderFault.self, "impair": NetworkImpairFault.self, "duplicate": NetworkDuplicateFault.self,
        "corrupt": NetworkCorruptFault.self, "blackhole": NetworkBlackholeFault.self,
    ]

    private static func findings(_ kind: String, _ text: String) -> [String] {
        guard let type = kinds[kind] else { return ["no kind \(kind)"] }
        func findings<Kind: ShapingFault>(_ type: Kind.Type) -> [String] { read(type, text).findings }
        return findings(type)
    }

    @Test(arguments: [
        ("delay", "delay=0s", "a delay of zero delays nothing"),
        ("delay", "delay=5m", "a delay is at most 4m"),
        ("delay", "delay=10ms jitter=20ms", "the jitter is longer than the delay"),
        ("delay", "delay=10s jitter=3s", "the jitter is at most 2s"),
        ("delay", "delay=10ms distribution=pareto", "distribution is about the jitter, and there is none"),
        ("delay", "delay=100", "expected a duration with its unit"),
        ("delay", "", "missing 'delay'"),
        ("loss", "", "missing 'loss'"),
        ("loss", "loss=0%", "loss of 0% does nothing"),
        ("loss", "loss=101%", "expected a percentage from 0% to 100%"),
        ("loss", "loss=0.00001%", "loss is at least 0.0001%"),
        ("loss", "loss=1% bursts={becomes-bad=1%,becomes-good=20%}", "loss and bursts exclude each other"),
        ("loss", "bursts={becomes-bad=0%,becomes-good=20%}", "becomes-bad of 0% does nothing"),
        ("loss", "loss=1% loss-correlation=100%", "a correlation of 100% never changes anything"),
        ("loss", "loss=1% ports=80 protocols=icmp", "ICMP has no ports"),
        ("loss", "loss=1% ports=0", "expected a port from 1 to 65535"),
        ("rate", "rate=8kbit", "8kbit lets less than one packet pass in a second; at least 12.112kbit"),
        ("rate", "rate=200gbit", "a rate is at most 100gbit"),
        ("rate", "rate=10", "expected a bandwidth with its unit"),
        ("reorder", "reorder=25% delay=0s", "nothing is overtaken without a delay"),
        ("reorder", "reorder=25%", "missing 'delay'"),
        ("duplicate", "duplicate=0%", "duplicate of 0% does nothing"),
        ("corrupt", "corrupt=-1%", "expected a percentage"),
        ("impair", "", "nothing is to be impaired"),
        ("impair", "reorder=10%", "nothing is overtaken without a delay"),
        ("blackhole", "direction=up", "'up' is not one of egress, ingress, both"),
    ])
    func whatCannotBeMeantIsRefused(kind: String, text: String, message: String) {
        let findings = Self.findings(kind, text)
        #expect(findings.count == 1, "\(findings)")
        #expect(findings.first?.hasPrefix(message) == true, "\(findings)")
    }

    @Test func whatIsLeftOutHasADefault() throws {
        let delay = try #require(Self.read(NetworkDelayFault.self, "delay=100ms jitter=10ms").fault)
        #expect(delay.direction == .egress)
        #expect(delay.impairment.distribution == .normal)
        #expect(delay.impairment.summary == "delay 100ms ± 10ms normal")
        let blackhole = try #require(Self.read(NetworkBlackholeFault.self, "").fault)
        #expect(blackhole.direction == .both)
        #expect(blackhole.impairment.loss.share == 1)
        let bursts = try #require(Self.read(NetworkLossFault.self, "bursts={becomes-bad=5%,becomes-good=20%}").fault)
        #expect(bursts.impairment.summary == "loss in bursts, 20% in the long run")
    }

    @Test func aCombinationIsOneImpairment() throws {
        let text = "delay=20ms loss=1% duplicate=2% corrupt=3% reorder=4% rate=10mbit ports=5432 protocols=tcp"
        let fault = try #require(Self.read(NetworkImpairFault.self, text).fault)
        #expect(
            fault.impairment.summary
                == "delay 20ms, loss 1%, duplicate 2%, corrupt 3%, reorder 4%, rate 10mbit")
        #expect(fault.impairment.needsNetem)
        #expect(fault.traffic.summary == "tcp port 5432")
        let plain = try #require(Self.read(NetworkImpairFault.self, "loss=1% rate=10mbit").fault)
        #expect(!plain.impairment.needsNetem)
    }
}
