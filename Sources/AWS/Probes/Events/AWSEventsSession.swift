internal import Basics
internal import Contracts
internal import Synchronization

/// An `aws.events` probe at work.
final class AWSEventsSession: ProbeSession {
    private let probe: AWSEventsProbe
    private let access: AWSAccess
    private let context: SystemContext
    private let record: ProbeRecord
    private let timeline: Mutex<EventTimeline>
    private let notes = Mutex(ChangeNotes())

    init(_ probe: AWSEventsProbe, _ access: AWSAccess, _ context: SystemContext) {
        self.probe = probe
        self.access = access
        self.context = context
        record = ProbeRecord(probe.name, in: context)
        timeline = Mutex(EventTimeline(begin: context.time.wallClock, sources: probe.sources))
    }

    func run() async {
        await context.time.everyTick(probe.polling.every) { await poll() }
    }

    /// Those that were listed late.
    func collect() async {
        await poll()
    }

    func close() async throws(FaultError) {}

    private func poll() async {
        for service in probe.services { await poll(service) }
        record.count("events", timeline.withLock { $0.count }, at: context.time.now)
    }

    private func poll(_ service: AWSEventsProbe.EventService) async {
        let subject = "\(service.rawValue):DescribeEvents"
        let since = timeline.withLock { $0.since(context.time.wallClock) }
        let access = access
        do throws(FaultError) {
            let events = try await bounded(probe.polling.timeout, context.time, "asking for events") {
                () async throws(FaultError) in
                try await access.events(service.service, since: since)
            }
            guard !Task.isCancelled else { return }
            tell(subject, "answered", .info)
            place(timeline.withLock { $0.new(events) })
        } catch {
            guard !Task.isCancelled else { return }
            tell(subject, "not answered: \(error.reason)", .warning)
        }
    }

    private func place(_ events: [ServiceEvent]) {
        let (now, wallClock) = (context.time.now, context.time.wallClock)
        for event in events {
            let isFailure = event.categories.contains("failure")
            record.note(
                EventTimeline.text(event),
                at: EventTimeline.instant(of: event.date, now: now, wallClock: wallClock),
                isFailure ? .warning : .info)
        }
    }

    private func tell(_ subject: String, _ value: String, _ level: Note.Level) {
        record.note(
            notes.withLock { $0.news(subject, value, unless: "answered") }, at: context.time.now, level)
    }
}
