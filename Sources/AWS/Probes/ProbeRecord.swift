internal import Basics
internal import Contracts

/// Writes what one probe sees into the run's history.
struct ProbeRecord: Sendable {
    let probe: Label
    private let write: @Sendable (HistoryEvent) -> Void

    init(_ probe: Label, in context: SystemContext) {
        self.probe = probe
        write = context.record
    }

    func state(_ sample: StateSample) { write(.state(sample)) }

    func state(
        _ node: String, _ state: Label, sent: Instant, end: Instant, identity: String = "", detail: String = ""
    ) {
        write(
            .state(
                StateSample(
                    probe: probe, node: Label(node), sent: sent, end: end, state: state, identity: Label(identity),
                    detail: Label(detail))))
    }

    func unreachable(_ nodes: some Sequence<String>, sent: Instant, end: Instant, _ reason: String) {
        for node in nodes { state(node, StateSample.unreachable, sent: sent, end: end, detail: reason) }
    }

    /// A figure of the whole: no node has it.
    func count(_ metric: Label, _ value: Int, at instant: Instant) {
        write(
            .measurement(
                Measurement(
                    probe: probe, node: .none, metric: metric, at: instant, value: Double(value), unit: .count)))
    }

    func measure(_ measurement: Measurement) { write(.measurement(measurement)) }

    /// nil is no news.
    func note(_ message: String?, at instant: Instant, _ level: Note.Level = .info) {
        guard let message else { return }
        write(.note(Note(at: instant, source: probe, level: level, message: message)))
    }
}

extension FaultError {
    /// Why a look failed, in a word that stays the same from look to look: AWS's own, else the class.
    var reason: String {
        guard let cause = underlying as? AWSError else { return code.rawValue }
        return cause.word.isEmpty ? cause.code.rawValue : cause.word
    }
}
