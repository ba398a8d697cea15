internal import Basics
internal import Contracts
internal import Experiment
internal import Postgres
internal import Synchronization

/// An `aurora.cluster` probe at work: one loop asks RDS, one writes through the endpoint, one asks each instance.
final class AuroraClusterSession: ProbeSession {
    let probe: AuroraClusterProbe
    let context: SystemContext
    let record: ProbeRecord
    private let access: AWSAccess
    private let sql: PostgresClient?
    private let failover = Mutex(FailoverWatch())
    private let notes = Mutex(ChangeNotes())
    /// What each instance said last over SQL: whether it writes. One that does not answer is not here.
    private let truth = Mutex<[String: Bool]>([:])
    /// Looked for once: the engine stays what it is.
    let functions = Mutex<AuroraFunctions?>(nil)

    init(_ probe: AuroraClusterProbe, _ access: AWSAccess, _ sql: PostgresClient?, _ context: SystemContext) {
        self.probe = probe
        self.access = access
        self.sql = sql
        self.context = context
        record = ProbeRecord(probe.name, in: context)
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch() }
            guard let sql else { return }
            if let endpoint = probe.endpoint { group.addTask { await self.write(through: endpoint, sql) } }
            for instance in probe.instances { group.addTask { await self.question(instance, sql) } }
        }
    }

    func close() async throws(FaultError) {}

    private func watch() async {
        await context.time.everyTick(probe.polling.every) { await look() }
    }

    private func look() async {
        let sent = context.time.now
        let (access, id) = (access, probe.cluster.id)
        do throws(FaultError) {
            let cluster = try await bounded(probe.polling.timeout, context.time, "asking for cluster \(id)") {
                () async throws(FaultError) in
                try await access.cluster(id)
            }
            guard !Task.isCancelled else { return }
            take(ClusterView(cluster: cluster), sent, context.time.now)
        } catch {
            guard !Task.isCancelled else { return }
            let end = context.time.now
            record.unreachable(probe.known.ids.sorted(), sent: sent, end: end, error.reason)
            tell("rds:DescribeDBClusters", "not answered: \(error.reason)", unless: "answered", at: end, .warning)
        }
        if probe.known.hasStrangers { await readTags() }
    }

    private func take(_ view: ClusterView, _ sent: Instant, _ end: Instant) {
        tell("rds:DescribeDBClusters", "answered", unless: "answered", at: end)
        probe.known.see(view.cluster.members.map(\.instance))
        for sample in view.samples(probe.name, known: probe.known.ids, sent: sent, end: end) { record.state(sample) }
        record.count("available", view.cluster.isAvailable ? 1 : 0, at: end)
        record.count("writers", view.writers.count, at: end)
        for news in notes.withLock({ view.news(&$0) }) { record.note(news, at: end) }
        let ending = failover.withLock {
            $0.saw(writer: view.writer, isAvailable: view.cluster.isAvailable, at: end)
        }
        if let ending { record.note(ending.message, at: ending.at) }
    }

    /// Of a member that has just come; preflight has warned when tags cannot be read.
    private func readTags() async {
        let (access, id) = (access, probe.cluster.id)
        do throws(FaultError) {
            let instances = try await bounded(probe.polling.timeout, context.time, "listing instances") {
                () async throws(FaultError) in
                try await access.databaseInstances()
            }
            probe.known.take(tagsOf: instances.filter { $0.cluster == id })
            probe.known.settle()
        } catch {
            // What may pass by itself is tried again with the next look.
            if error.code == .denied { probe.known.settle() }
        }
    }

    // MARK: What the loops over SQL find

    func tell(
        _ subject: String, _ value: String, unless usual: String? = nil, at instant: Instant,
        _ level: Note.Level = .info
    ) {
        record.note(notes.withLock { $0.news(subject, value, unless: usual) }, at: instant, level)
    }

    /// - Parameter reason: why the write was not acknowledged; nil when it was.
    func wrote(sent: Instant, end: Instant, failure reason: String?) {
        record.count("writable", reason == nil ? 1 : 0, at: end)
        tell("the writer endpoint", reason.map { "taking no writes: \($0)" } ?? "taking writes", at: end)
        let ending = failover.withLock { $0.wrote(reason == nil, sent: sent, end: end) }
        if let ending { record.note(ending.message, at: ending.at) }
    }

    /// - Parameter isWriter: nil when the instance did not answer.
    func heard(_ instance: String, isWriter: Bool?, _ word: String, at instant: Instant) {
        let writers = truth.withLock { truth in
            truth[instance] = isWriter
            return truth.values.count { $0 }
        }
        record.count("sql-writers", writers, at: instant)
        tell("\(instance) by its own word", word, at: instant)
    }
}
