import Basics
import Testing

@testable import Network

/// A rate is measured only while the leaf is certainly busy.
@Suite struct LeafMeterTests {
    private func entry(_ bytes: UInt64, backlog: UInt32) -> TreeReader.Entry {
        TreeReader.Entry(
            interface: 2, handle: 0, parent: 0, kind: "tbf", options: [], packets: 0, bytes: bytes, drops: 0,
            waiting: 0,
            backlog: backlog)
    }

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func anIntervalInWhichTheLeafMayHaveBeenIdleDoesNotCount() {
        var meter = LeafMeter()
        meter.add([entry(0, backlog: 9_000)], between: at(0), at(0))
        meter.add([entry(5_000, backlog: 2_000)], between: at(10), at(10))
        #expect(meter.throughputs == [Throughput(bytes: 5_000, span: .milliseconds(10))])
        // Less was waiting than passed: it may have waited for more.
        meter.add([entry(8_000, backlog: 9_000)], between: at(30), at(30))
        #expect(meter.busiest == .milliseconds(10))
        meter.add([entry(13_000, backlog: 9_000)], between: at(40), at(40))
        #expect(meter.throughputs == [Throughput(bytes: 10_000, span: .milliseconds(20))])
        #expect(meter.throughputs.first?.bitsPerSecond == 4_000_000)
    }

    @Test func aReadingOfNoOneInstantDoesNotCount() {
        var meter = LeafMeter()
        meter.add([entry(0, backlog: 9_000)], between: at(0), at(0))
        meter.add([entry(5_000, backlog: 9_000)], between: at(8), at(14))
        meter.add([entry(9_000, backlog: 9_000)], between: at(20), at(20))
        #expect(meter.throughputs.isEmpty)
    }
}
