internal import Basics

/// Decides when a failover is over: another writer, an available cluster, and a write that went through, all three.
///
/// None of them alone says so. The call's answer comes before anything happened; the writer's flag moves while the
/// cluster is still failing over; `available` is also what the cluster is before it begins.
struct FailoverWatch: Sendable {
    private struct Change: Sendable {
        var writer: String
        /// When the look ended that first showed the writer.
        var since: Instant
        /// Since when the cluster has been available; nil while it is not.
        var availableAt: Instant?
        /// When the first of the writes ended that have succeeded without a failure since; nil while they fail.
        var wroteAt: Instant?
    }

    /// Who wrote before the change; nil before the first look.
    private var settled: String?
    private var change: Change?

    struct Ending: Sendable, Hashable {
        var at: Instant
        var message: String
    }

    /// What a look at the cluster showed.
    ///
    /// - Parameter writer: nil when no member has the flag, or several have it.
    mutating func saw(writer: String?, isAvailable: Bool, at end: Instant) -> Ending? {
        guard let writer else {
            change?.availableAt = nil
            return nil
        }
        guard let settled, settled != writer else {
            // The first look, or the old one writes (again): there is no failover, or none any more.
            self.settled = writer
            change = nil
            return nil
        }
        let known = change?.writer == writer ? change : nil
        var current = known ?? Change(writer: writer, since: end)
        current.availableAt = isAvailable ? current.availableAt ?? end : nil
        change = current
        return conclude()
    }

    /// What became of a write through the writer endpoint. One that began before the new writer was seen says nothing
    /// of it: the endpoint may still have led to the old one.
    mutating func wrote(_ isDone: Bool, sent: Instant, end: Instant) -> Ending? {
        guard let change, sent >= change.since else { return nil }
        self.change?.wroteAt = isDone ? change.wroteAt ?? end : nil
        return conclude()
    }

    private mutating func conclude() -> Ending? {
        guard let change, let availableAt = change.availableAt, let wroteAt = change.wroteAt else { return nil }
        settled = change.writer
        self.change = nil
        return Ending(
            at: max(availableAt, wroteAt),
            message:
                "failover is over: \(change.writer) writes, available, a write through the writer endpoint succeeded")
    }
}
