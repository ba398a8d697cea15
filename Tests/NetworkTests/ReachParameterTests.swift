import Basics
import Contracts
import Experiment
import Glibc
import Testing

@testable import Network

/// What a file may say about the network's probes and about names, and the figures that the probes make of replies.
@Suite struct ReachParameterTests {
    private static let place = Location(file: "t", line: 1, column: 1)

    private func findings(
        _ parameters: [any AnyParameter], _ entries: [(String, Node)], _ build: (inout ParameterReader) -> Void
    ) -> [String] {
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init(entries.map { .init($0.0, at: Self.place, $0.1) }, at: Self.place))
        _ = ParameterReader.read(node, parameters, into: &diagnostics) { build(&$0) }
        return diagnostics.all.map(\.message)
    }

    private static let groups = Node.mapping(
        .init(
            [.init("east", at: place, .mapping(.init([.init("names", at: place, words("a"))], at: place)))], at: place))

    private func reach(_ entries: [(String, Node)]) -> [String] {
        findings(ReachProbe.parameters, [("groups", Self.groups)] + entries) { _ = ReachProbe(name: "p", from: &$0) }
    }

    private func connect(_ entries: [(String, Node)]) -> [String] {
        findings(TCPConnectProbe.parameters, entries) { _ = TCPConnectProbe(name: "p", from: &$0) }
    }

    private func names(_ entries: [(String, Node)]) -> [String] {
        findings(NetworkDNSFault.parameters, entries) { _ = NetworkDNSFault(from: &$0) }
    }

    private func kill(_ entries: [(String, Node)]) -> [String] {
        findings(KillConnectionsFault.parameters, entries) { _ = KillConnectionsFault(from: &$0) }
    }

    @Test func whatCanBeMeantIsAccepted() {
        #expect(reach([("method", word("tcp")), ("version", word("ipv6")), ("every", word("50ms"))]) == [])
        #expect(connect([("to", word("127.0.0.1")), ("port", word("80"))]) == [])
        #expect(connect([("to", word("::1")), ("port", word("80")), ("from", word("web-1"))]) == [])
        #expect(names([("mode", word("drop"))]) == [])
        #expect(names([("mode", word("delay")), ("delay", word("2s")), ("names", words("a", "*.b.c"))]) == [])
        #expect(names([("mode", word("wrong-answer")), ("addresses", words("10.0.0.1", "fd00::1"))]) == [])
        #expect(kill([]) == [])
        #expect(kill([("ports", words("5432", "6000-6100")), ("loopback", word("true"))]) == [])
    }

    @Test func aProbeThatCannotWorkIsRefused() {
        #expect(reach([("every", word("1ms"))]) == ["'every' must be at least 10ms"])
        #expect(reach([("timeout", word("0s"))]) == ["a timeout is from 1ms to 30s"])
        #expect(reach([("method", word("icmp"))]) == ["'icmp' is not one of udp, tcp"])
        #expect(
            findings(ReachProbe.parameters, []) { _ = ReachProbe(name: "p", from: &$0) }.first?.hasPrefix(
                "missing 'groups'") == true)
        let window = findings(RoundTripProbe.parameters, [("groups", Self.groups), ("window", word("1ms"))]) {
            _ = RoundTripProbe(name: "p", from: &$0)
        }
        #expect(window == ["a window is at least one 'every' long and at most 10m"])
    }

    @Test(arguments: [
        ("10.0.0.0/8", "80", "'10.0.0.0/8' is neither an address nor a container's name"),
        ("db:5432", "80", "'db:5432' is neither an address nor a container's name"),
        ("fe80::1%eth0", "80", "'fe80::1%eth0' is neither an address nor a container's name"),
        ("db", "0", "expected a whole number, 1 to 65535, found '0'"),
        ("db", "65536", "expected a whole number, 1 to 65535, found '65536'"),
    ])
    func aConnectionToNowhereIsRefused(to: String, port: String, message: String) {
        #expect(connect([("to", word(to)), ("port", word(port))]).contains { $0.hasPrefix(message.prefix(40)) })
    }

    @Test func aRateThatMeasuresTheProbeIsRefused() {
        let messages = connect([("to", word("db")), ("port", word("1")), ("rate", word("5000/s"))])
        #expect(messages == ["at most 1000/s"])
    }

    @Test func namesThatContradictTheirModeAreRefused() {
        #expect(names([("mode", word("drop")), ("delay", word("1s"))]) == ["mode delay and a delay belong together"])
        #expect(names([("mode", word("delay"))]) == ["mode delay and a delay belong together"])
        #expect(names([("mode", word("delay")), ("delay", word("0s"))]) == ["a delay is from 1ms to 30s"])
        #expect(names([("mode", word("delay")), ("delay", word("31s"))]) == ["a delay is from 1ms to 30s"])
        #expect(names([("mode", word("wrong-answer"))]) == ["mode wrong-answer and addresses belong together"])
        #expect(
            names([("mode", word("drop")), ("addresses", words("10.0.0.1"))]) == [
                "mode wrong-answer and addresses belong together"
            ])
        #expect(
            names([("mode", word("wrong-answer")), ("addresses", words("10.0.0.0/8"))]) == [
                "10.0.0.0-10.255.255.255 is no single address"
            ])
        #expect(
            names([("mode", word("drop")), ("servers", words("fe80::1"))]) == [
                "fe80::1 means a neighbour on one cable only"
            ])
        #expect(
            names([("mode", word("drop")), ("names", words("a")), ("check", word("b"))]) == [
                "'b' is none of the names that are hit"
            ])
        let empty = Node.sequence([], Self.place)
        #expect(names([("mode", word("drop")), ("names", empty)]) == ["'names' lists nothing"])
        #expect(
            names([("mode", word("drop")), ("names", words("a b"))]).first?.hasPrefix("expected a host name") == true)
        #expect(names([("names", words("a"))]).first?.hasPrefix("missing 'mode'") == true)
    }

    // MARK: Figures

    @Test func everyMemberOfAGroupIsPairedWithEveryOneOfTheOthers() {
        func texts(_ names: [[String]]) -> [String] { ContainerGroups.pairs(names).map { "\($0.from)\($0.to)" } }
        #expect(texts([["a", "b"], ["c"]]) == ["ac", "bc", "ca", "cb"])
        #expect(texts([["a", "b", "c"]]) == ["ab", "ac", "ba", "bc", "ca", "cb"])
        #expect(texts([["a"], ["a", "b"]]) == ["ab", "ba"])
        #expect(texts([["a"]]) == [])
        #expect(texts([]) == [])
    }

    @Test func aRoundIsCountedAsItIs() {
        let replies: [EchoMesh.Reply] = [.answered(.zero), .silent, .refused(ECONNREFUSED), .absent("b")]
        let now = Instant(nanoseconds: 5)
        let figures = ReachProbe.summary(replies, "p", at: now)
        #expect(figures.map(\.metric.text) == ReachProbe.metrics)
        #expect(figures.map(\.value) == [4, 1, 3, 0.25])
        #expect(ReachProbe.summary([], "p", at: now) == [])
    }

    @Test func percentilesAreOfWhatWasAnsweredAndLossIsOfAll() {
        let samples: [Span?] = (1...100).map { .milliseconds($0) } + [Span?](repeating: nil, count: 25)
        let figures = Dictionary(uniqueKeysWithValues: RoundTripWindows.statistics(samples).map { ($0.0.text, $0.1) })
        #expect(
            figures == [
                "rtt-min": 0.001, "rtt-p50": 0.05, "rtt-p95": 0.095, "rtt-p99": 0.099, "rtt-max": 0.1, "loss": 0.2,
            ])
        #expect(RoundTripWindows.statistics([nil, nil]).map(\.1) == [1])
        #expect(RoundTripWindows.statistics([]).isEmpty)
    }

    @Test func anOldRoundTripIsForgotten() {
        let windows = RoundTripWindows(length: .seconds(1))
        func add(_ milliseconds: Int64, at second: Int64) -> [String: Double] {
            let figures = windows.add(
                .answered(.milliseconds(milliseconds)), "a > b", "p", at: Instant(nanoseconds: second * 1_000_000_000))
            return Dictionary(uniqueKeysWithValues: figures.map { ($0.metric.text, $0.value) })
        }
        #expect(add(900, at: 10)["rtt-max"] == 0.9)
        #expect(add(5, at: 12)["rtt-max"] == 0.005)
    }

    @Test func anEchoIsReadAsItWasWritten() {
        let datagram = EchoDatagram(nonce: 1, round: 2, attempt: 3, held: 4)
        #expect(EchoDatagram(datagram.bytes[...]) == datagram)
        for length in 0..<EchoDatagram.length { #expect(EchoDatagram(datagram.bytes.prefix(length)) == nil) }
    }
}
