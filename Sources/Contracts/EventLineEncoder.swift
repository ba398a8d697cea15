internal import Basics
internal import Synchronization

/// Writes events as lines of `EventLine`'s format into a buffer of the caller.
///
/// One value per history and thread: it keeps the encoded text of every name it has met. Less than a
/// microsecond per operation (release build), so a thousand observations a second cost a thousandth of a core.
package struct EventLineEncoder {
    private var names: [Label: [UInt8]] = [:]

    package init() {}

    /// Appends one line with its newline.
    package mutating func append(_ event: HistoryEvent, to line: inout [UInt8]) {
        switch event {
        case .operation(let operation): append(operation, to: &line)
        case .state(let sample): append(sample, to: &line)
        case .measurement(let measurement): append(measurement, to: &line)
        case .run(let record): append(record, to: &line)
        case .readBack(let readBack): append(readBack, to: &line)
        case .fault(let transition): append(transition, to: &line)
        case .note(let note): append(note, to: &line)
        case .phase(let phase, let at):
            begin(.phase, &line)
            line.appendField(.time, at.nanoseconds)
            line.appendField(.phase, phase.rawValue)
        case .stall(let stall):
            begin(.stall, &line)
            line.appendField(.from, stall.from.nanoseconds)
            line.appendField(.time, stall.to.nanoseconds)
        case .steadyState(let phase, let held, let at, let detail):
            begin(.steadyState, &line)
            line.appendField(.time, at.nanoseconds)
            line.appendField(.phase, phase.rawValue)
            line.appendField(.held, held)
            line.appendField(.why, detail)
        case .aborted(let reason, let at): append(reason, at, to: &line)
        case .cleanUp(let leftovers, let at):
            begin(.cleanUp, &line)
            line.appendField(.time, at.nanoseconds)
            line.appendField(.leftovers, leftovers) { line, leftover in
                let texts = [leftover.kind, leftover.target, leftover.description] + leftover.commands
                line.appendArray(texts) { $0.appendJSON($1) }
            }
        case .ended(let at):
            begin(.ended, &line)
            line.appendField(.time, at.nanoseconds)
        }
        line.append(UInt8(ascii: "}"))
        line.append(UInt8(ascii: "\n"))
    }

    private func begin(_ name: EventLine.Name, _ line: inout [UInt8]) {
        line.append(contentsOf: "{\"e\":\"".utf8)
        line.append(contentsOf: name.rawValue.utf8)
        line.append(UInt8(ascii: "\""))
    }

    private mutating func field(_ key: LineKey, _ name: Label, _ line: inout [UInt8]) {
        guard !name.isEmpty else { return }
        line.appendKey(key)
        if let encoded = names[name] {
            line.append(contentsOf: encoded)
        } else {
            var encoded: [UInt8] = []
            encoded.appendJSON(name.text)
            names[name] = encoded
            line.append(contentsOf: encoded)
        }
    }

    private mutating func append(_ operation: Operation, to line: inout [UInt8]) {
        begin(.operation, &line)
        field(.probe, operation.probe, &line)
        field(.path, operation.path, &line)
        field(.node, operation.node, &line)
        line.appendField(.action, operation.action.rawValue)
        line.appendField(.sequence, operation.sequence)
        line.appendField(.due, operation.due.nanoseconds)
        line.appendField(.sent, operation.sent?.nanoseconds)
        line.appendField(.time, operation.end.nanoseconds)
        line.appendField(.outcome, operation.outcome.rawValue)
        field(.reason, operation.reason, &line)
    }

    private mutating func append(_ sample: StateSample, to line: inout [UInt8]) {
        begin(.state, &line)
        field(.probe, sample.probe, &line)
        field(.node, sample.node, &line)
        line.appendField(.sent, sample.sent.nanoseconds)
        line.appendField(.time, sample.end.nanoseconds)
        field(.value, sample.state, &line)
        line.appendField(.generation, sample.generation)
        line.appendField(.position, sample.position)
        field(.identity, sample.identity, &line)
        field(.reason, sample.detail, &line)
    }

    private mutating func append(_ measurement: Measurement, to line: inout [UInt8]) {
        begin(.measurement, &line)
        field(.probe, measurement.probe, &line)
        field(.node, measurement.node, &line)
        field(.metric, measurement.metric, &line)
        line.appendField(.time, measurement.at.nanoseconds)
        line.appendKey(.value)
        line.appendJSON(measurement.value)
        line.appendField(.unit, measurement.unit.rawValue)
        if measurement.isCensored { line.appendField(.isCensored, true) }
    }

    private func append(_ record: RunRecord, to line: inout [UInt8]) {
        begin(.run, &line)
        line.appendField(.version, EventLine.version)
        line.appendField(.time, record.startedAt.nanoseconds)
        line.appendField(.wall, record.startedAtWall.nanoseconds)
        line.appendField(.wallText, record.startedAtWall.iso8601)
        line.appendField(.run, record.run)
        line.appendField(.title, record.title)
        line.appendField(.about, record.description)
        line.appendField(.tags, record.tags) { $0.appendJSON($1) }
        line.appendField(.file, record.file)
        if let runbook = record.runbook {
            line.appendKey(.runbook)
            line.appendJSON(runbook)
        }
        line.appendField(.digest, record.experimentDigest)
        line.appendField(.seed, String(record.seed))
        line.appendField(.tool, record.toolVersion)
        let environment = record.environment.sorted { $0.key < $1.key }
        line.appendField(.environment, environment) { line, entry in
            line.appendArray([entry.key, entry.value]) { $0.appendJSON($1) }
        }
        line.appendField(.criteria, record.criteria) { $0.appendJSON($1) }
        if !record.criterionDefinitions.isEmpty { line.appendField(.definitions, record.criterionDefinitions) }
        line.appendField(.steps, record.steps) { $0.appendJSON($1) }
        if let hold = record.steadyStateHold { line.appendField(.steadyStateHold, hold.nanoseconds) }
    }

    private mutating func append(_ readBack: ReadBack, to line: inout [UInt8]) {
        begin(.readBack, &line)
        field(.probe, readBack.probe, &line)
        field(.node, readBack.node, &line)
        line.appendField(.time, readBack.at.nanoseconds)
        line.appendField(.stage, readBack.stage.rawValue)
        line.appendField(.isAuthoritative, readBack.isAuthoritative)
        line.appendField(.present, readBack.present) { line, range in
            line.appendArray([range.lowerBound, range.upperBound]) { $0.appendJSON($1) }
        }
        line.appendField(.duplicated, readBack.duplicated) { $0.appendJSON($1) }
        line.appendField(.generation, readBack.generation)
        line.appendField(.why, readBack.failure)
    }

    private mutating func append(_ transition: FaultTransition, to line: inout [UInt8]) {
        begin(.fault, &line)
        line.appendField(.time, transition.at.nanoseconds)
        line.appendField(.identity, transition.id)
        field(.step, transition.step, &line)
        field(.kind, transition.kind, &line)
        field(.target, transition.target, &line)
        line.appendField(.stage, transition.stage.rawValue)
        line.appendField(.from, transition.effectiveAt?.lower.nanoseconds)
        line.appendField(.to, transition.effectiveAt?.upper.nanoseconds)
        line.appendField(.why, transition.detail)
    }

    private mutating func append(_ note: Note, to line: inout [UInt8]) {
        begin(.note, &line)
        line.appendField(.time, note.at.nanoseconds)
        field(.source, note.source, &line)
        line.appendField(.level, note.level.rawValue)
        line.appendField(.message, note.message)
    }

    private func append(_ reason: AbortReason, _ at: Instant, to line: inout [UInt8]) {
        begin(.aborted, &line)
        line.appendField(.time, at.nanoseconds)
        let (name, message): (EventLine.AbortName, String) =
            switch reason {
            case .signal: (.signal, "")
            case .stopCondition(let text): (.stopCondition, text)
            case .steadyStateNotReached(let text): (.steadyStateNotReached, text)
            case .injectionFailed(let text): (.injectionFailed, text)
            case .maxDurationReached: (.maxDurationReached, "")
            case .refused(let text): (.refused, text)
            case .environment(let text): (.environment, text)
            case .controllerDied(let text): (.controllerDied, text)
            }
        line.appendField(.why, name.rawValue)
        if case .signal(let number) = reason { line.appendField(.signal, Int64(number)) }
        line.appendField(.message, message)
    }
}

extension EventLine {
    /// One event as a line with its newline, from any thread: an encoder shared by all, whose lock is held only
    /// while it encodes.
    package static func bytes(of event: HistoryEvent) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(192)
        shared.withLock { $0.append(event, to: &line) }
        return line
    }
}

private let shared = Mutex(EventLineEncoder())
