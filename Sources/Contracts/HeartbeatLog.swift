package import Basics

/// The acknowledged heartbeats of one run, and how far behind a reader is that sees one of them.
package struct HeartbeatLog: Sendable, Hashable {
    private var beats: [Int64] = []
    private var acknowledgedAt: [Instant] = []

    package init() {}

    /// Beats are recorded in ascending order; one whose acknowledgement was lost is left out.
    package mutating func acknowledge(_ beat: Int64, at instant: Instant) {
        guard beat > beats.last ?? .min else { return }
        beats.append(beat)
        acknowledgedAt.append(instant)
    }

    package var isEmpty: Bool { beats.isEmpty }

    /// How stale a read that began at `instant` is when it saw `beat`: the time since the first newer beat was
    /// acknowledged (measurement section 1.7: max(0, inv(r) − min{comp(w') : w' acknowledged, newer than the one read})).
    package func lag(seeing beat: Int64, at instant: Instant) -> Span {
        var (low, high) = (0, beats.count)
        while low < high {
            let middle = (low + high) / 2
            if beats[middle] > beat { high = middle } else { low = middle + 1 }
        }
        return low < beats.count ? max(.zero, instant - acknowledgedAt[low]) : .zero
    }

    /// The lag as a probe records it; nil as long as no beat is acknowledged.
    package func lag(
        of node: Label, seeing beat: Int64, at instant: Instant, isCensored: Bool, _ probe: Label
    ) -> Measurement? {
        if isEmpty { return nil }
        return Measurement(
            probe: probe, node: node, metric: "lag", at: instant, value: lag(seeing: beat, at: instant).seconds,
            unit: .seconds, isCensored: isCensored)
    }
}
