internal import Basics

/// Adds up what leaves let pass while they were never idle: only then is it their rate.
///
/// On a busy machine the sender, the reader and the kernel's own threads wait for a processor. An interval counts when
/// more was waiting at its beginning than passed in it, and when both of its ends are known to a few milliseconds: intervals
/// follow each other, so that only the outer ends count.
struct LeafMeter {
    private struct Reading {
        var at: Instant
        var entry: TreeReader.Entry
    }

    private static let precision = Span.milliseconds(4)
    private var last: [Int32: Reading] = [:]
    private var sums: [Int32: Throughput] = [:]

    /// How long the busiest leaf has been seen busy.
    var busiest: Span { sums.values.map(\.span).max() ?? .zero }

    /// The busiest first.
    var throughputs: [Throughput] { sums.values.sorted { $0.bytes > $1.bytes } }

    /// - Parameters:
    ///   - before: when the kernel was asked.
    ///   - after: when it had answered.
    mutating func add(_ entries: [TreeReader.Entry], between before: Instant, _ after: Instant) {
        guard after - before <= Self.precision else {
            last = [:]
            return
        }
        let now = before + (after - before) / 2
        for entry in entries {
            defer { last[entry.interface] = Reading(at: now, entry: entry) }
            guard let reading = last[entry.interface], entry.bytes >= reading.entry.bytes else { continue }
            let passed = entry.bytes - reading.entry.bytes
            guard passed < UInt64(reading.entry.backlog) else { continue }
            var sum = sums[entry.interface] ?? Throughput(bytes: 0, span: .zero)
            sum.bytes += passed
            sum.span += now - reading.at
            sums[entry.interface] = sum
        }
    }
}
