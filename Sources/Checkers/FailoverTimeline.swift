package import Basics
package import Contracts

/// The marks of a failover, t0 to t8 (`research` 1.3), each nil when the probes of the run could not know it.
package struct FailoverTimeline: Sendable, Hashable {
    /// Since the fault's effect; what the marks are is told by `parts`.
    package var firstFailure: Span?
    package var detected: Span?
    package var promoted: Span?
    package var firstDirectSuccess: Span?
    package var firstSuccess: Span?
    package var lastPathBack: Span?
    package var backToNormal: Span?
    package var redundant: Span?
    package var newPrimary: Label?

    /// A note that begins with this word says that the control plane noticed the failure.
    static let detectionWord = "detected"

    init(
        _ history: History, probe: Label, operations: ProbeOperations, outage: Outage, effect: InstantRange,
        hold: Span, success: Share
    ) {
        let roles = RoleTimeline(history, effect: effect)
        func since(_ instant: Instant?) -> Span? { instant.map { max(.zero, $0 - effect.lower) } }
        firstFailure = since(outage.onset.lower)
        detected = since(
            history.notes.first { $0.at >= effect.lower && $0.message.hasPrefix(Self.detectionWord) }?.at)
        promoted = since(roles.promoted?.upper)
        let former = roles.formerPrimary ?? Self.lastNode(operations, before: effect.lower)
        let direct = Self.firstSuccess(
            history, on: roles.newPrimary, notOn: former, after: roles.promoted?.lower ?? outage.onset.lower)
        newPrimary = roles.newPrimary ?? direct?.node
        firstDirectSuccess = since(direct?.end)
        firstSuccess = since(Self.clientsBack(operations, outage: outage, after: direct?.end))
        let back = Self.lastPathBack(
            history, probe: probe, outage: outage, effect: effect, hold: hold, success: success)
        lastPathBack = since(back)
        if let back, let baseline = Baseline(operations, before: effect.lower) {
            backToNormal = since(baseline.restored(in: operations, from: back - operations.interval, hold: hold))
        }
        redundant = since(roles.redundant)
    }

    /// The first success of a client that the new primary can have given: one that was in flight when the fault came may
    /// still be answered by the old one, milliseconds later.
    private static func clientsBack(
        _ operations: ProbeOperations, outage: Outage, after direct: Instant?
    ) -> Instant? {
        let first = outage.firstSuccess?.upper
        guard let success = first, let direct, success < direct else { return first }
        return operations.lazy.filter { $0.isGood && $0.end >= direct }.map(\.end).min()
    }

    private static func lastNode(_ operations: ProbeOperations, before instant: Instant) -> Label? {
        let end = operations.position(dueFrom: instant)
        return operations[..<end].last { $0.isGood && !$0.node.isEmpty }?.node
    }

    /// The earliest acknowledgement by the new primary, by whatever probe and path.
    private static func firstSuccess(_ history: History, on node: Label?, notOn former: Label?, after instant: Instant)
        -> Operation?
    {
        var first: Operation?
        for operation in history.operations where operation.isGood && operation.began >= instant {
            if let node {
                guard operation.node == node else { continue }
            } else {
                guard !operation.node.isEmpty, let former, operation.node != former else { continue }
            }
            if first.map({ operation.end < $0.end }) ?? true { first = operation }
        }
        return first
    }

    /// When the last of the paths that clients take was back; nil when one never was.
    private static func lastPathBack(
        _ history: History, probe: Label, outage: Outage, effect: InstantRange, hold: Span, success: Share
    ) -> Instant? {
        guard case .recovered(let together) = outage.end else { return nil }
        let paths = ProbeOperations.clientPaths(of: probe, in: history.operations)
        guard paths.count > 1 else { return together.upper }
        var latest = together.upper
        for path in paths {
            let operations = ProbeOperations(history, probe: probe, path: path)
            guard let finder = try? OutageFinder(operations, hold: hold, success: success),
                case .outage(let own)? = try? finder.find(from: effect, horizon: together.upper)
            else { continue }
            guard case .recovered(let back) = own.end else { return nil }
            latest = max(latest, back.upper)
        }
        return latest
    }
}

extension FailoverTimeline {
    /// The phases in order, then the marks they are made of, in seconds.
    package var parts: [CriterionResult.Part] {
        phases.map { .init(name: $0.name, value: $0.value?.seconds, unit: "s", detail: $0.detail) }
            + marks.map { .init(name: $0.name, value: $0.value?.seconds, unit: "s", detail: $0.detail) }
    }

    private typealias Row = (name: String, value: Span?, detail: String)

    private var phases: [Row] {
        var rows: [Row] = []
        if firstDirectSuccess == nil {
            // No probe can tell who answered: what lies between the fault and the first success is one phase.
            rows.append(("until first success", firstSuccess, "fault to the first success by a client"))
        } else if detected != nil {
            rows.append(("detection", detected, "fault to detection by the control plane"))
            rows.append(
                ("promotion", Self.between(detected, firstDirectSuccess), "detection to the first success there"))
        } else {
            rows.append(
                ("detection and promotion", firstDirectSuccess, "fault to the first success on the new primary"))
        }
        if firstDirectSuccess != nil {
            rows.append(
                ("reconnection", Self.between(firstDirectSuccess, firstSuccess), "until clients reach the new primary"))
        }
        rows.append(("fleet tail", Self.between(firstSuccess, lastPathBack), "until the last path is back"))
        rows.append(("degraded", Self.between(lastPathBack, backToNormal), "until latency and rate are normal"))
        rows.append(("exposure", redundant, "fault to redundancy restored"))
        return rows
    }

    private var marks: [Row] {
        let primary = newPrimary.map { " \($0)" } ?? ""
        return [
            ("t0", .zero, "the fault has effect"),
            ("t1", firstFailure, "first failed operation"),
            ("t2", detected, "the control plane detects"),
            ("t3", promoted, "a new primary\(primary) reports its role"),
            ("t4", firstDirectSuccess, "first success on the new primary\(primary)"),
            ("t5", firstSuccess, "first success by a client"),
            ("t6", lastPathBack, "last path of clients recovered"),
            ("t7", backToNormal, "latency and rate back within 20 % of the baseline"),
            ("t8", redundant, "redundancy restored"),
        ]
    }

    private static func between(_ start: Span?, _ end: Span?) -> Span? {
        guard let start, let end else { return nil }
        return max(.zero, end - start)
    }
}
