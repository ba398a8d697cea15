internal import Basics
internal import Contracts

/// A `dns.record` probe at work.
final class DNSRecordSession: ProbeSession {
    private static let fresh: Label = "fresh"
    private static let kept: Label = "kept"

    private let probe: DNSRecordProbe
    private let server: NameServer
    private let context: SystemContext
    private let loop: EventLoop
    private let client: RecordClient
    /// nil without a port: there is nothing to connect to.
    private let connector: RecordConnector?
    private let node: Label

    init(
        _ probe: DNSRecordProbe, _ server: NameServer, at address: AddressRange, _ context: SystemContext
    ) throws(FaultError) {
        let loop = try DNSRecordProbe.loop(of: probe.name)
        self.probe = probe
        self.server = server
        self.context = context
        self.loop = loop
        client = RecordClient(address, port: server.port, on: loop)
        connector = probe.port.map { RecordConnector(port: $0, on: loop) }
        node = Label("\(probe.record)")
    }

    deinit {
        loop.stop()
    }

    func run() async {
        var watch = RecordWatch(probe.record, probe.type)
        var sequence: Int64 = 0
        await context.time.everyTick(probe.every) {
            await look(sequence, &watch)
            // One for each of the two paths.
            sequence += 2
        }
    }

    func close() async throws(FaultError) {}

    private func look(_ sequence: Int64, _ watch: inout RecordWatch) async {
        let sent = context.time.now
        let deadline = sent + probe.timeout
        do throws(NetworkError) {
            let answer = try await client.ask(probe.record, probe.type, until: deadline)
            let answered = context.time.now
            take(answer, sent, answered)
            note(watch.news(silence: nil, of: server), at: answered)
            note(watch.news(answer, at: answered), at: answered)
            var failure = answer.isResolved ? nil : answer.state
            if failure == nil, let connector, let first = answer.addresses.first {
                failure = await connector.connect(to: first, until: deadline)
            }
            record(Self.fresh, node, sequence, sent, failure)
        } catch {
            let reason = NetworkFailure.reason(error.errno)
            state(StateSample.unreachable, sent, context.time.now, detail: reason)
            note(watch.news(silence: reason.text, of: server), at: context.time.now, .warning)
            record(Self.fresh, node, sequence, sent, reason)
        }
        await lookAtKept(sequence + 1, &watch)
    }

    private func take(_ answer: RecordAnswer, _ sent: Instant, _ end: Instant) {
        let life = answer.timeToLive.map { Span.seconds(Int64($0)) }
        let detail = answer.isResolved ? life.map { "TTL \($0)" } ?? "" : "\(answer.code)"
        state(answer.state, sent, end, identity: Label(answer.identity), detail: Label(detail))
        guard let life, answer.isResolved else { return }
        context.record(
            .measurement(
                Measurement(
                    probe: probe.name, node: node, metric: "ttl", at: end, value: life.seconds, unit: .seconds)))
    }

    private func lookAtKept(_ sequence: Int64, _ watch: inout RecordWatch) async {
        let sent = context.time.now
        guard let port = probe.port, let kept = await connector?.look() else { return }
        note(watch.news(kept, port: port), at: context.time.now, .warning)
        record(Self.kept, Label("\(kept.address)"), sequence, sent, kept.end)
    }

    // MARK: The history

    private func state(
        _ state: Label, _ sent: Instant, _ end: Instant, identity: Label = .none, detail: Label = .none
    ) {
        context.record(
            .state(
                StateSample(
                    probe: probe.name, node: node, sent: sent, end: end, state: state, identity: identity,
                    detail: detail)))
    }

    private func record(_ path: Label, _ node: Label, _ sequence: Int64, _ sent: Instant, _ failure: Label?) {
        context.record(
            .operation(
                Operation(
                    probe: probe.name, path: path, node: node, action: .check, sequence: sequence, due: sent,
                    sent: sent, end: context.time.now, outcome: failure == nil ? .ok : .failed,
                    reason: failure ?? .none)))
    }

    private func note(_ message: String?, at instant: Instant, _ level: Note.Level = .info) {
        guard let message else { return }
        context.record(.note(Note(at: instant, source: probe.name, level: level, message: message)))
    }
}
