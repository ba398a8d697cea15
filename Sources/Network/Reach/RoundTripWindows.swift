internal import Basics
internal import Contracts
internal import Synchronization

/// The newest round trips of each pair, and their statistics.
final class RoundTripWindows: Sendable {
    private struct Pair {
        /// Newest last; nil was not answered.
        var samples: [(at: Instant, span: Span?)] = []
        var toldAt = Instant(nanoseconds: 0)
    }

    /// Statistics change slowly: a line of each per round would be most of the history.
    private static let pause = Span.milliseconds(500)

    private let length: Span
    private let pairs = Mutex<[Label: Pair]>([:])

    init(length: Span) {
        self.length = length
    }

    /// What there is to record after one more reply.
    func add(_ reply: EchoMesh.Reply, _ name: Label, _ probe: Label, at now: Instant) -> [Measurement] {
        var span: Span?
        if case .answered(let answered) = reply { span = answered }
        return pairs.withLock { pairs in
            var pair = pairs[name] ?? Pair()
            defer { pairs[name] = pair }
            pair.samples.append((now, span))
            if let first = pair.samples.firstIndex(where: { now - $0.at <= length }) {
                pair.samples.removeFirst(first)
            }
            var values: [(Label, Double, Measurement.Unit)] = span.map { [("rtt", $0.seconds, .seconds)] } ?? []
            if now - pair.toldAt >= Self.pause {
                pair.toldAt = now
                values += Self.statistics(pair.samples.map(\.span))
            }
            return values.map {
                Measurement(probe: probe, node: name, metric: $0.0, at: now, value: $0.1, unit: $0.2)
            }
        }
    }

    /// Nearest rank over what was answered; loss over everything.
    static func statistics(_ samples: [Span?]) -> [(Label, Double, Measurement.Unit)] {
        guard !samples.isEmpty else { return [] }
        let answered = samples.compactMap(\.self).sorted()
        let loss = Double(samples.count - answered.count) / Double(samples.count)
        guard let least = answered.first, let most = answered.last else { return [("loss", loss, .fraction)] }
        func percentile(_ share: Double) -> Double {
            let rank = Int((share * Double(answered.count)).rounded(.up))
            return answered[min(max(rank, 1), answered.count) - 1].seconds
        }
        return [
            ("rtt-min", least.seconds, .seconds), ("rtt-p50", percentile(0.5), .seconds),
            ("rtt-p95", percentile(0.95), .seconds), ("rtt-p99", percentile(0.99), .seconds),
            ("rtt-max", most.seconds, .seconds), ("loss", loss, .fraction),
        ]
    }
}
