package import Basics
package import Contracts

/// When each node acted as primary: for certain, and at most.
///
/// Role samples and acknowledgements both reduce to this; what is dual is then plain interval arithmetic.
package struct PrimaryEvidence: Sendable, Hashable {
    package var certain: [Label: [InstantRange]] = [:]
    package var possible: [Label: [InstantRange]] = [:]
    /// Looks that found a primary, for overlaps too short for a certain interval.
    package var instants: [Label: [InstantRange]] = [:]

    package init() {}

    package var nodes: [Label] { possible.keys.sorted() }

    /// One node's claim; a certain interval that is inverted (a single look) is dropped.
    package mutating func add(_ node: Label, certain: (Instant, Instant)?, possible: InstantRange) {
        if let certain, certain.0 < certain.1 {
            self.certain[node, default: []].append(InstantRange(certain.0, certain.1))
        }
        self.possible[node, default: []].append(possible)
    }

    /// All that is known of one node.
    mutating func set(
        _ node: Label, certain: [InstantRange], possible: [InstantRange], instants: [InstantRange]
    ) {
        if !certain.isEmpty { self.certain[node] = certain }
        if !possible.isEmpty { self.possible[node] = possible }
        if !instants.isEmpty { self.instants[node] = instants }
    }

    /// Where two nodes or more were primary at once.
    package func dual() -> DualPrimary {
        let certainWindows = Self.overlaps(certain)
        let possibleWindows = Self.overlaps(possible)
        return DualPrimary(
            bounds: SpanBounds(Self.total(certainWindows), Self.total(possibleWindows)), certain: certainWindows,
            possible: possibleWindows, isProven: !certainWindows.isEmpty || hasInstantOverlap)
    }

    /// A look that lies wholly inside another node's certain interval proves an instant with two primaries.
    private var hasInstantOverlap: Bool {
        instants.contains { node, looks in
            certain.contains { other, intervals in
                other != node && Self.anyInside(looks, intervals)
            }
        }
    }

    /// Both ascending; one pass.
    private static func anyInside(_ looks: [InstantRange], _ intervals: [InstantRange]) -> Bool {
        var index = 0
        for look in looks {
            while index < intervals.count, intervals[index].upper < look.upper { index += 1 }
            if index == intervals.count { return false }
            if intervals[index].lower <= look.lower { return true }
        }
        return false
    }

    /// Sweeps over all nodes' intervals and keeps where at least two different nodes are inside.
    private static func overlaps(_ intervals: [Label: [InstantRange]]) -> [InstantRange] {
        let edges = intervals.values.flatMap { merged($0).flatMap { [($0.lower, 1), ($0.upper, -1)] } }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
        var windows: [InstantRange] = []
        var inside = 0
        var start: Instant?
        for (instant, change) in edges {
            inside += change
            if inside >= 2, start == nil {
                start = instant
            } else if inside < 2, let began = start {
                if instant > began { windows.append(InstantRange(began, instant)) }
                start = nil
            }
        }
        return windows
    }

    private static func merged(_ intervals: [InstantRange]) -> [InstantRange] {
        var result: [InstantRange] = []
        for interval in intervals.sorted(by: { $0.lower < $1.lower }) {
            if let last = result.last, interval.lower <= last.upper {
                result[result.count - 1] = InstantRange(last.lower, max(last.upper, interval.upper))
            } else {
                result.append(interval)
            }
        }
        return result
    }

    private static func total(_ windows: [InstantRange]) -> Span { windows.reduce(.zero) { $0 + $1.width } }
}

/// The time during which two nodes were primary at once.
package struct DualPrimary: Sendable, Hashable {
    package var bounds: SpanBounds
    package var certain: [InstantRange]
    package var possible: [InstantRange]
    /// Two primaries at one instant were seen, even where no length can be given.
    package var isProven: Bool

    /// Zero is only kept when nothing was proven; otherwise the bounds decide.
    package func judged(atMost limit: Span) -> Verdict {
        isProven && limit == .zero ? .fail : bounds.judged(atMost: limit)
    }
}
