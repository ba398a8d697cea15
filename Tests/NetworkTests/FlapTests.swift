import Basics
import Contracts
import Experiment
import Glibc
import Testing

@testable import Network

/// A cut that goes on and off by a pattern.
@Suite(.enabled(if: isRoot, needsRoot)) struct FlapTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    @Test func itSwitchesAtItsDeadlinesUntilItIsReleased() async throws {
        var block = try await fixture.block()
        block.isFlapping = true
        let switched = Switches()
        try await fixture.kernel.install(block.work) { event in
            if case .switched(let isOn, let range) = event { switched.add(isOn, range) }
        }
        let armed = try await fixture.kernel.arm(block.mark)
        let spans = [Int64(1_000), 900, 800, 1_100]
        let pattern = try #require(SwitchPattern(spans.map { .milliseconds($0) }))
        try await fixture.kernel.alternate(block.mark, pattern, since: armed.upper)
        let looks = try await looks(block, until: armed.upper + .milliseconds(4_200))
        // Off or on, but not over: whoever asks for what is left must be told so.
        #expect(try await fixture.kernel.elements(of: block.mark, in: block.members[0]) != 0)
        await fixture.kernel.release(block.mark)
        #expect(try await fixture.open(block, .datagram).count == 4)
        #expect(try fixture.pair.a.tables() == [])

        let all = switched.list
        #expect(all.count >= 3)
        var due = armed.upper
        for (number, one) in all.enumerated() {
            #expect(one.isOn == !number.isMultiple(of: 2))
            // None of a busy machine's lateness adds up: each deadline counts from the arming.
            due = due + .milliseconds(spans[number % 4])
            #expect(one.range.lower >= due)
            if isTimeExact { #expect(one.range.lower - due < .milliseconds(5)) }
        }
        check(looks, against: [(isOn: true, range: armed)] + all)
    }

    private typealias Look = (range: InstantRange, open: Int)

    private var isTimeExact: Bool { getenv("SQUALL_VM") != nil }

    private func looks(_ block: Block, until end: Instant) async throws -> [Look] {
        let time = SystemTimeSource()
        var all: [Look] = []
        while time.now < end {
            let start = time.now
            let open = try await fixture.open(block, .datagram, within: .milliseconds(30)).count
            all.append((InstantRange(start, time.now), open))
        }
        return all
    }

    /// What was looked at within one stretch shows what that stretch is.
    private func check(_ looks: [Look], against switches: [(isOn: Bool, range: InstantRange)]) {
        var seen = (on: 0, off: 0)
        for (stretch, next) in zip(switches, switches.dropFirst()) {
            let within = looks.filter {
                $0.range.lower > stretch.range.upper && $0.range.upper < next.range.lower
            }
            for look in within {
                #expect(look.open == (stretch.isOn ? 0 : 4))
                if stretch.isOn { seen.on += 1 } else { seen.off += 1 }
            }
        }
        #expect(seen.on > 0)
        #expect(seen.off > 0)
    }

    @Test func aLongStretchIsRenewed() async throws {
        var block = try await fixture.block()
        block.isFlapping = true
        try await fixture.install(block)
        let pattern = try #require(SwitchPattern([.seconds(8), .milliseconds(100)]))
        try await fixture.kernel.alternate(block.mark, pattern, since: SystemTimeSource().now)
        try await SystemTimeSource().sleep(for: LocalNetworkKernel.lease + .milliseconds(500))
        #expect(try await fixture.open(block, .datagram, within: .milliseconds(90)) == [])
        await fixture.kernel.release(block.mark)
    }

    private static let place = Location(file: "t", line: 1, column: 1)

    private func findings(_ entries: [(String, Node)]) -> [String] {
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init(entries.map { .init($0.0, at: Self.place, $0.1) }, at: Self.place))
        _ = ParameterReader.read(node, NetworkFlapFault.parameters, into: &diagnostics) { NetworkFlapFault(from: &$0) }
        return diagnostics.all.map(\.message)
    }

    @Test func whatIsNoPatternIsRefused() {
        #expect(findings([("on", word("2s")), ("off", word("3s"))]) == [])
        #expect(findings([("on", word("0s"))]).count == 1)
        #expect(findings([("on", word("5ms"))]) == ["5ms is shorter than 20ms"])
        #expect(
            findings([("pattern", words("1s", "2s", "3s"))]) == [
                "a pattern is cut and mended in turn: an even number of spans"
            ])
        #expect(
            findings([("pattern", words("1s", "2s")), ("on", word("1s"))]) == ["pattern says all that on and off say"])
    }
}
