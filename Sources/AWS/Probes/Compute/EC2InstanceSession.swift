internal import Basics
internal import Contracts
internal import Synchronization

/// An `ec2.instance` probe at work.
final class EC2InstanceSession: ProbeSession {
    private static let subject = "ec2:DescribeInstances"

    private let probe: EC2InstanceProbe
    private let access: AWSAccess
    private let context: SystemContext
    private let record: ProbeRecord
    private let notes = Mutex(ChangeNotes())
    private let census: Mutex<InstanceCensus>

    init(_ probe: EC2InstanceProbe, _ access: AWSAccess, _ context: SystemContext) {
        self.probe = probe
        self.access = access
        self.context = context
        record = ProbeRecord(probe.name, in: context)
        census = Mutex(InstanceCensus(named: probe.ids))
    }

    func run() async {
        await context.time.everyTick(probe.polling.every) { await look() }
    }

    func close() async throws(FaultError) {}

    private func look() async {
        let sent = context.time.now
        let (access, filters) = (access, probe.filters)
        do throws(FaultError) {
            let found = try await bounded(probe.polling.timeout, context.time, "listing instances") {
                () async throws(FaultError) in
                try await access.instances(filters: filters)
            }
            guard !Task.isCancelled else { return }
            tell(Self.subject, "answered", unless: "answered", at: context.time.now)
            take(found, sent, context.time.now)
        } catch {
            guard !Task.isCancelled else { return }
            let end = context.time.now
            record.unreachable(census.withLock { $0.known.sorted() }, sent: sent, end: end, error.reason)
            tell(Self.subject, "not answered: \(error.reason)", unless: "answered", at: end, .warning)
        }
    }

    private func take(_ found: [ComputeInstance], _ sent: Instant, _ end: Instant) {
        let (there, gone) = census.withLock { $0.take(found) }
        for instance in there {
            record.state(instance.id, Label(instance.state), sent: sent, end: end, detail: instance.zone)
            let name = instance.tags["Name"].map { " (\($0))" } ?? ""
            tell("\(instance.id)\(name)", instance.state, at: end)
        }
        record.unreachable(gone, sent: sent, end: end, "not listed")
        for id in gone { tell(id, "not listed", at: end, .warning) }
        record.count("running", there.count { $0.state == "running" }, at: end)
    }

    private func tell(
        _ subject: String, _ value: String, unless usual: String? = nil, at instant: Instant,
        _ level: Note.Level = .info
    ) {
        record.note(notes.withLock { $0.news(subject, value, unless: usual) }, at: instant, level)
    }
}
