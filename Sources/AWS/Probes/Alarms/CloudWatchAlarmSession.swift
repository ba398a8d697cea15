internal import Basics
internal import Contracts
internal import Synchronization

/// A `cloudwatch.alarm` probe at work.
final class CloudWatchAlarmSession: ProbeSession {
    private let probe: CloudWatchAlarmProbe
    private let access: AWSAccess
    private let context: SystemContext
    private let record: ProbeRecord
    private let notes = Mutex(ChangeNotes())

    init(_ probe: CloudWatchAlarmProbe, _ access: AWSAccess, _ context: SystemContext) {
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
        let (access, names) = (access, probe.alarms)
        do throws(FaultError) {
            let alarms = try await bounded(probe.polling.timeout, context.time, "asking for alarms") {
                () async throws(FaultError) in
                try await access.alarms(names)
            }
            guard !Task.isCancelled else { return }
            take(alarms, sent, context.time.now)
        } catch {
            guard !Task.isCancelled else { return }
            let end = context.time.now
            record.unreachable(probe.alarms, sent: sent, end: end, error.reason)
            tell("cloudwatch:DescribeAlarms", "not answered: \(error.reason)", unless: "answered", at: end, .warning)
        }
    }

    private func take(_ alarms: [Alarm], _ sent: Instant, _ end: Instant) {
        tell("cloudwatch:DescribeAlarms", "answered", unless: "answered", at: end, .info)
        for alarm in alarms {
            record.state(alarm.name, Label(alarm.state), sent: sent, end: end)
            tell(
                "alarm \(alarm.name)", alarm.value, at: end, alarm.isInAlarm ? .warning : .info,
                because: alarm.reason)
        }
        for name in Set(probe.alarms).subtracting(alarms.map(\.name)).sorted() {
            record.unreachable([name], sent: sent, end: end, "no such alarm")
            tell("alarm \(name)", "not there any more", at: end, .warning)
        }
        record.count("alarms", alarms.count(where: \.isInAlarm), at: end)
    }

    private func tell(
        _ subject: String, _ value: String, unless usual: String? = nil, at instant: Instant, _ level: Note.Level,
        because reason: String = ""
    ) {
        let news = notes.withLock { $0.news(subject, value, unless: usual) }
        record.note(news.map { reason.isEmpty ? $0 : "\($0): \(reason)" }, at: instant, level)
    }
}
