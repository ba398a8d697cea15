package import Basics
package import Contracts
package import Experiment
internal import Journal

/// Takes one fault on one target through prepare, journal, inject and proof of effect.
package struct FaultInjector: Sendable {
    private let context: SystemContext
    private let changes: ChangeLog
    private let longestStay: Span
    private let turns: TargetTurns

    /// - Parameters:
    ///   - longestStay: how long a fault without a duration of its own may be there: after that, whoever watches heals it
    ///     even if the controller hangs.
    ///   - turns: shared by all injections of a run.
    package init(
        context: SystemContext, changes: ChangeLog, longestStay: Span, turns: TargetTurns = TargetTurns()
    ) {
        self.context = context
        self.changes = changes
        self.longestStay = longestStay
        self.turns = turns
    }

    /// nil: the effect is shown; else why it is not. Throws when it could not be injected; the journal knows how far it got.
    package func inject(_ fault: any Fault, step: Step, on target: Target) async throws(FaultError) -> String? {
        try await turns.whileHaving(fault.resources(on: target)) { () throws(FaultError) in
            try await run(fault, step: step, on: target)
        }
    }

    private func run<Kind: Fault>(_ fault: Kind, step: Step, on target: Target) async throws(FaultError) -> String? {
        let undo: Kind.Undo
        let intent: JournalIntent
        do throws(FaultError) {
            // Before the first look: a prior state that another run is just changing would be a wrong one to restore.
            try context.services.require((any TargetLocks).self).acquire(
                fault.resources(on: target), of: target.name)
            undo = try await fault.prepare(target, in: context)
            intent = try await changes.begin(
                step: step.name, kind: Kind.kind, target: target.id, targetName: target.name, undo: try encode(undo),
                timeToLive: step.duration ?? longestStay)
        } catch {
            let refused = FaultTransition(
                id: "\(step.name)/\(target.id)", step: Label(step.name), kind: Label(Kind.kind),
                target: Label(target.name),
                stage: .refused, at: context.time.now, detail: "\(error)")
            context.record(.fault(refused))
            throw error
        }
        @Sendable func transition(_ stage: FaultStage, at: InstantRange? = nil, _ detail: String = "") {
            context.record(
                .fault(
                    FaultTransition(
                        id: intent.id.text, step: Label(step.name), kind: Label(Kind.kind), target: Label(target.name),
                        stage: stage, at: context.time.now, effectiveAt: at, detail: detail)))
        }
        transition(.prepared)
        transition(.injecting)
        var injecting = context
        injecting.withdraw = { transition(.unproven, $0) }
        do throws(FaultError) {
            switch try await fault.inject(undo, in: injecting) {
            case .confirmed(let range, let evidence):
                transition(.active, at: range, evidence)
                try await journalActive(intent)
                return nil
            case .unproven(let reason):
                transition(.unproven, reason)
                try await journalActive(intent)
                return reason
            }
        } catch {
            transition(.refused, "\(error)")
            throw error
        }
    }

    private func journalActive(_ intent: JournalIntent) async throws(FaultError) {
        do {
            try await changes.append(.active(intent.id, at: context.time.now))
        } catch {
            throw FaultError(.denied, "\(error)")
        }
    }

    private func encode(_ undo: some Encodable) throws(FaultError) -> JSONValue {
        do {
            return try JSONValue(encoding: undo)
        } catch {
            throw FaultError(.unexpected, "the undo cannot be written down: \(error)")
        }
    }
}
