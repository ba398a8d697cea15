internal import Basics
internal import Contracts
internal import Synchronization

/// An `elasticache.replication-group` probe at work.
final class ReplicationGroupSession: ProbeSession {
    private static let subject = "elasticache:DescribeReplicationGroups"

    private let probe: ReplicationGroupProbe
    private let access: AWSAccess
    private let context: SystemContext
    private let record: ProbeRecord
    private let notes = Mutex(ChangeNotes())
    /// Every node seen so far: one that is gone is reported, not forgotten.
    private let known = Mutex<Set<String>>([])

    init(_ probe: ReplicationGroupProbe, _ access: AWSAccess, _ context: SystemContext) {
        self.probe = probe
        self.access = access
        self.context = context
        record = ProbeRecord(probe.name, in: context)
    }

    func run() async {
        await context.time.everyTick(probe.polling.every) { await look() }
    }

    func close() async throws(FaultError) {}

    private func look() async {
        let sent = context.time.now
        let (access, id) = (access, probe.group.id)
        do throws(FaultError) {
            let group = try await bounded(probe.polling.timeout, context.time, "asking for replication group \(id)") {
                () async throws(FaultError) in
                try await access.replicationGroup(id)
            }
            guard !Task.isCancelled else { return }
            take(GroupView(group: group), sent, context.time.now)
        } catch {
            guard !Task.isCancelled else { return }
            let end = context.time.now
            record.unreachable(known.withLock { $0.sorted() }, sent: sent, end: end, error.reason)
            let news = notes.withLock {
                $0.news(Self.subject, "not answered: \(error.reason)", unless: "answered")
            }
            record.note(news, at: end, .warning)
        }
    }

    private func take(_ view: GroupView, _ sent: Instant, _ end: Instant) {
        let known = known.withLock { known in
            known.formUnion(view.nodes)
            return known
        }
        for sample in view.samples(probe.name, known: known, sent: sent, end: end) { record.state(sample) }
        record.count("available", view.isAvailable ? 1 : 0, at: end)
        let news = notes.withLock { notes in
            [notes.news(Self.subject, "answered", unless: "answered")].compactMap { $0 } + view.news(&notes)
        }
        for text in news { record.note(text, at: end) }
    }
}
