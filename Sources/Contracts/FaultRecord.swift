package import Basics

/// Where one fault on one target stands.
package enum FaultStage: String, Sendable, Hashable, Codable, CaseIterable {
    /// Its undo is on disk.
    case prepared
    /// The system is being touched.
    case injecting
    /// The effect is confirmed.
    case active
    /// It was injected, and no effect could be shown.
    case unproven
    /// It could not be injected.
    case refused
    case healing
    /// Healed, and the clean state was read back.
    case healed
    case healFailed = "heal-failed"
}

/// One step in the life of one fault on one target, as an event.
package struct FaultTransition: Sendable, Hashable, Codable {
    /// The journal's id of this fault on this target.
    package var id: String
    /// The step's name.
    package var step: Label
    package var kind: Label
    package var target: Label
    package var stage: FaultStage
    package var at: Instant
    /// With `active`: when the effect began, as narrow as it could be measured.
    package var effectiveAt: InstantRange?
    /// With `active`: what showed the effect. With `unproven`, `refused`, `heal-failed`: why.
    package var detail: String

    package init(
        id: String, step: Label, kind: Label, target: Label, stage: FaultStage, at: Instant,
        effectiveAt: InstantRange? = nil, detail: String = ""
    ) {
        self.id = id
        self.step = step
        self.kind = kind
        self.target = target
        self.stage = stage
        self.at = at
        self.effectiveAt = effectiveAt
        self.detail = detail
    }
}

/// A fault on a target with all that is known of it: the sum of its transitions.
package struct FaultRecord: Sendable, Hashable {
    package var id: String
    package var step: Label
    package var kind: Label
    package var target: Label
    package var stage: FaultStage
    package var injectedAt: Instant?
    package var effectiveAt: InstantRange?
    package var healedAt: Instant?
    package var evidence: String
    /// Why it was refused, unproven or not healed.
    package var failure: String

    package init(_ first: FaultTransition) {
        id = first.id
        step = first.step
        kind = first.kind
        target = first.target
        stage = first.stage
        evidence = ""
        failure = ""
        apply(first)
    }

    package mutating func apply(_ transition: FaultTransition) {
        stage = transition.stage
        switch transition.stage {
        case .prepared, .healing: break
        case .injecting: injectedAt = transition.at
        case .active:
            // One that was withdrawn while it was still being shown stays withdrawn.
            effectiveAt = failure.isEmpty ? transition.effectiveAt : nil
            evidence = transition.detail
        case .healed: healedAt = transition.at
        // A heal that fails must not hide why the effect was not shown.
        case .unproven, .refused, .healFailed:
            failure = failure.isEmpty ? transition.detail : "\(failure); \(transition.detail)"
            // An effect that ended before its time has not been there as the file says: nothing is judged by it.
            if transition.stage == .unproven { effectiveAt = nil }
        }
    }

    /// The effect was shown, whatever came after.
    package var isProven: Bool { effectiveAt != nil }
}
