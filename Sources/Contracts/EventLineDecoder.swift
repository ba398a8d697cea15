internal import Basics

/// Reads lines of `EventLine`'s format back into events, in pieces of any size, so that no file is held in memory.
///
/// What cannot be read is counted, never fatal: a run that was killed leaves a torn last line, and a newer tool leaves
/// events this one does not know.
package struct EventLineDecoder {
    /// What was met besides readable events.
    package struct Tally: Sendable, Hashable {
        /// Lines read into an event.
        package var events = 0
        /// Well-formed lines of a kind this version does not know.
        package var unknown = 0
        /// Complete lines that are no event: damage.
        package var malformed = 0
        /// Bytes after the last newline that are no complete event: the tool was stopped while it wrote.
        package var tornBytes = 0

        package init() {}
    }

    package private(set) var tally = Tally()
    private var pending: [UInt8] = []
    private var fields = EventLineFields()

    package init() {}

    /// Reads every complete line of what has been fed so far and keeps the rest.
    package mutating func feed(_ chunk: some Collection<UInt8>, _ body: (HistoryEvent) -> Void) {
        pending.append(contentsOf: chunk)
        var start = 0
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if end > start { read(pending[start..<end], body) }
            start = end + 1
        }
        pending.removeSubrange(..<start)
    }

    /// Ends the input: a last line without its newline counts when it is complete.
    package mutating func finish(_ body: (HistoryEvent) -> Void) {
        defer { pending = [] }
        guard !pending.isEmpty else { return }
        if fields.read(pending[...]) {
            read(pending[...], body)
        } else {
            tally.tornBytes = pending.count
        }
    }

    private mutating func read(_ line: ArraySlice<UInt8>, _ body: (HistoryEvent) -> Void) {
        guard fields.read(line), fields.has(.event) else {
            tally.malformed += 1
            return
        }
        guard let name: EventLine.Name = fields.choice(.event) else {
            tally.unknown += 1
            return
        }
        guard let event = event(name) else {
            tally.malformed += 1
            return
        }
        tally.events += 1
        body(event)
    }

    private func event(_ name: EventLine.Name) -> HistoryEvent? {
        guard let time = fields.instant(.time) else { return nil }
        return switch name {
        case .operation: operation(time).map { .operation($0) }
        case .state: state(time).map { .state($0) }
        case .measurement: measurement(time).map { .measurement($0) }
        case .run: run(time).map { .run($0) }
        case .readBack: readBack(time).map { .readBack($0) }
        case .fault: fault(time).map { .fault($0) }
        case .note: note(time).map { .note($0) }
        case .phase: fields.choice(.phase).map { .phase($0, at: time) }
        case .stall: fields.instant(.from).map { .stall(ProberStall(from: $0, to: time)) }
        case .steadyState: steadyState(time)
        case .aborted: abort().map { .aborted($0, at: time) }
        case .cleanUp: cleanUp().map { .cleanUp(leftovers: $0, at: time) }
        case .ended: .ended(at: time)
        }
    }

    private func operation(_ end: Instant) -> Operation? {
        guard let action: Operation.Action = fields.choice(.action), let sequence = fields.integer(.sequence),
            let due = fields.instant(.due), let outcome: Outcome = fields.choice(.outcome)
        else { return nil }
        return Operation(
            probe: fields.label(.probe), path: fields.label(.path), node: fields.label(.node), action: action,
            sequence: sequence, due: due, sent: fields.instant(.sent), end: end, outcome: outcome,
            reason: fields.label(.reason))
    }

    private func state(_ end: Instant) -> StateSample? {
        guard let sent = fields.instant(.sent) else { return nil }
        return StateSample(
            probe: fields.label(.probe), node: fields.label(.node), sent: sent, end: end, state: fields.label(.value),
            generation: fields.integer(.generation), position: fields.integer(.position),
            identity: fields.label(.identity), detail: fields.label(.reason))
    }

    private func measurement(_ at: Instant) -> Measurement? {
        guard let value = fields.number(.value), let unit: Measurement.Unit = fields.choice(.unit) else { return nil }
        return Measurement(
            probe: fields.label(.probe), node: fields.label(.node), metric: fields.label(.metric), at: at,
            value: value, unit: unit, isCensored: fields.boolean(.isCensored) ?? false)
    }

    private func run(_ startedAt: Instant) -> RunRecord? {
        guard let wall = fields.integer(.wall),
            let seed = fields.text(.seed).flatMap({ UInt64($0) }),
            let tags = fields.array(.tags, { $0.string() }), let criteria = fields.array(.criteria, { $0.string() }),
            let steps = fields.array(.steps, { $0.string() }),
            let environment = fields.array(.environment, { $0.pair { $0.string() } })
        else { return nil }
        return RunRecord(
            run: fields.text(.run) ?? "", title: fields.text(.title) ?? "", description: fields.text(.about) ?? "",
            tags: tags,
            file: fields.text(.file) ?? "", runbook: fields.text(.runbook),
            experimentDigest: fields.text(.digest) ?? "", seed: seed, startedAt: startedAt,
            startedAtWall: WallInstant(nanoseconds: wall), toolVersion: fields.text(.tool) ?? "",
            environment: Dictionary(environment) { first, _ in first }, criteria: criteria,
            criterionDefinitions: fields.text(.definitions) ?? "", steps: steps,
            steadyStateHold: fields.integer(.steadyStateHold).map { Span(nanoseconds: $0) })
    }

    private func readBack(_ at: Instant) -> ReadBack? {
        guard let stage: ReadBack.Stage = fields.choice(.stage),
            let present = fields.array(.present, { $0.pair { $0.integer() } }),
            let duplicated = fields.array(.duplicated, { $0.integer() }),
            present.allSatisfy({ $0.0 <= $0.1 })
        else { return nil }
        return ReadBack(
            probe: fields.label(.probe), node: fields.label(.node), stage: stage, at: at,
            isAuthoritative: fields.boolean(.isAuthoritative) ?? false, present: present.map { $0.0...$0.1 },
            duplicated: duplicated, generation: fields.integer(.generation), failure: fields.text(.why) ?? "")
    }

    private func fault(_ at: Instant) -> FaultTransition? {
        guard let stage: FaultStage = fields.choice(.stage) else { return nil }
        var effect: InstantRange?
        if let from = fields.instant(.from), let to = fields.instant(.to) { effect = InstantRange(from, to) }
        return FaultTransition(
            id: fields.text(.identity) ?? "", step: fields.label(.step), kind: fields.label(.kind),
            target: fields.label(.target), stage: stage,
            at: at, effectiveAt: effect, detail: fields.text(.why) ?? "")
    }

    private func note(_ at: Instant) -> Note? {
        guard let level: Note.Level = fields.choice(.level) else { return nil }
        return Note(at: at, source: fields.label(.source), level: level, message: fields.text(.message) ?? "")
    }

    private func steadyState(_ at: Instant) -> HistoryEvent? {
        guard let phase: Phase = fields.choice(.phase), let held = fields.boolean(.held) else { return nil }
        return .steadyState(phase: phase, held: held, at: at, detail: fields.text(.why) ?? "")
    }

    private func abort() -> AbortReason? {
        guard let name: EventLine.AbortName = fields.choice(.why) else { return nil }
        let message = fields.text(.message) ?? ""
        return switch name {
        case .signal: fields.integer(.signal).flatMap { CInt(exactly: $0) }.map { .signal($0) }
        case .stopCondition: .stopCondition(message)
        case .steadyStateNotReached: .steadyStateNotReached(message)
        case .injectionFailed: .injectionFailed(message)
        case .maxDurationReached: .maxDurationReached
        case .refused: .refused(message)
        case .environment: .environment(message)
        case .controllerDied: .controllerDied(message)
        }
    }

    private func cleanUp() -> [Leftover]? {
        guard let rows = fields.array(.leftovers, { $0.array { $0.string() } }),
            rows.allSatisfy({ $0.count >= 3 })
        else { return nil }
        return rows.map {
            Leftover(kind: $0[0], target: $0[1], description: $0[2], commands: Array($0.dropFirst(3)))
        }
    }
}
