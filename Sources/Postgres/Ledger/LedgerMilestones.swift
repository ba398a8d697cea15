internal import Basics
internal import Contracts
internal import Synchronization

/// Notes the first acknowledgement of each node on each timeline: the data plane's own account of a failover.
final class LedgerMilestones: Sendable {
    private struct Pair: Hashable {
        var node: Label
        var timeline: String
    }

    private let probe: Label
    private let context: SystemContext
    private let seen = Mutex<Set<Pair>>([])

    init(probe: Label, context: SystemContext) {
        self.probe = probe
        self.context = context
    }

    /// `timeline` is the eight hexadecimal digits that a log file's name begins with; empty when unknown.
    func acknowledged(by node: Label, timeline: String, path: Label) {
        guard seen.withLock({ $0.insert(Pair(node: node, timeline: timeline)).inserted }) else { return }
        let number = Int64(timeline, radix: 16).map { " on timeline \($0)" } ?? ""
        context.record(
            .note(
                Note(
                    at: context.time.now, source: probe,
                    message: "first write acknowledged by \(node)\(number) (path \(path))")))
    }
}
