package import Basics
package import Contracts
package import Journal

/// What happens to a medic.
package enum MedicEvent: Sendable, Hashable {
    /// The controller appended to its journal.
    case journalChanged
    /// The controller is gone: end of file on the channel.
    case controllerEnded
    /// The controller ended in order and said so; what it could not heal it has reported itself.
    case dismissed
    case journalRead([OpenChange])
    case journalUnreadable(String)
    /// Nobody stands in the way any more: these changes were healed, or tried to, in the controller's place.
    case reliefFinished(Set<MutationID>)
    case tick
    case takenOver
}

/// What a medic does.
package enum MedicAction: Sendable, Hashable {
    case readJournal
    case wakeAt(Instant)
    /// Heal what is overdue while the controller lives and does not move.
    case relieve
    /// Heal everything: the controller is dead.
    case takeOver
    case finish
}

/// Decides when a medic must heal: at the controller's death, and when a fault outlives its time under a controller
/// that hangs. Takes events, returns actions, touches nothing.
///
/// A live controller is never fought: it writes `healing` when it begins, and only a change that is long past its time
/// without that, or that has been healing for longer than a heal may take, is taken for abandoned.
package struct MedicStateMachine: Sendable {
    /// How long after a fault's own time its heal may begin: a busy controller is late, a hung one does not come.
    package static let grace = Span.seconds(2)
    /// An injection whose effect is not confirmed yet may still be waiting for it.
    package static let longestInjection = Span.seconds(60)
    /// A heal that began may be retrying against an engine that restarts.
    package static let longestHeal = Span.seconds(60)
    /// A relief that could not heal is tried again after this.
    package static let retryInterval = Span.seconds(5)

    private enum State: Hashable {
        case watching
        case relieving
        case takingOver
        case finished
    }

    private var state = State.watching
    private var controllerLives = true
    private var changes: [OpenChange] = []
    /// Reliefs that did not work out, with the earliest next try.
    private var retries: [MutationID: Instant] = [:]

    package init() {}

    package mutating func handle(_ event: MedicEvent, at now: Instant) -> [MedicAction] {
        switch event {
        case .journalChanged, .tick: return state == .watching && controllerLives ? [.readJournal] : []
        case .controllerEnded:
            guard controllerLives else { return [] }
            controllerLives = false
            return state == .watching ? takeOver() : []
        case .dismissed:
            controllerLives = false
            return finish()
        case .journalRead(let read):
            changes = read
            return watch(at: now)
        case .journalUnreadable: return state == .watching && controllerLives ? [.wakeAt(now + Self.retryInterval)] : []
        case .reliefFinished(let ids): return reliefFinished(ids, at: now)
        case .takenOver: return finish()
        }
    }

    /// Takes a newer reading of the journal without deciding anything.
    package mutating func replace(_ read: [OpenChange]) { changes = read }

    /// The changes that the controller has abandoned by now, oldest first.
    package func overdue(at now: Instant) -> [JournalIntent] {
        changes.filter { change in deadline(of: change).map { $0 <= now } ?? false }.map { $0.intent }
    }

    private mutating func watch(at now: Instant) -> [MedicAction] {
        guard state == .watching, controllerLives else { return [] }
        guard let next = changes.compactMap({ deadline(of: $0) }).min() else { return [] }
        guard next <= now else { return [.wakeAt(next)] }
        state = .relieving
        return [.relieve]
    }

    private mutating func reliefFinished(_ ids: Set<MutationID>, at now: Instant) -> [MedicAction] {
        guard state == .relieving else { return [] }
        state = .watching
        // Recorded as relieved, a change has no deadline any more; one that is read as overdue again was not healed.
        for id in ids { retries[id] = now + Self.retryInterval }
        return controllerLives ? [.readJournal] : takeOver()
    }

    private mutating func takeOver() -> [MedicAction] {
        state = .takingOver
        return [.takeOver]
    }

    private mutating func finish() -> [MedicAction] {
        state = .finished
        return [.finish]
    }

    /// A step's duration counts from when all of its targets are confirmed, and its faults are healed one after the
    /// other: the controller has abandoned none of them as long as it may be busy with another.
    private func stepDeadline(of change: OpenChange, _ timeToLive: Span) -> Instant? {
        guard !change.intent.step.isEmpty else { return nil }
        return changes.lazy.filter { $0.intent.step == change.intent.step && $0.intent.id != change.intent.id }
            .compactMap { sibling in
                switch sibling.progress {
                case .intended: sibling.intent.at + timeToLive + Self.longestInjection
                case .active(let since): since + timeToLive + Self.grace
                case .healing(let since): since + Self.longestHeal
                case .healFailed, .relieved: nil
                }
            }.max()
    }

    private func deadline(of change: OpenChange) -> Instant? {
        guard let timeToLive = change.intent.timeToLive else { return nil }
        let due: Instant
        switch change.progress {
        case .intended: due = change.intent.at + timeToLive + Self.longestInjection
        case .active(let since):
            due = max(since + timeToLive + Self.grace, stepDeadline(of: change, timeToLive) ?? since)
        case .healing(let since): due = since + Self.longestHeal
        // The controller knows, and tries again at its end; the medic does after its death.
        case .healFailed, .relieved: return nil
        }
        return max(due, retries[change.intent.id] ?? due)
    }
}
