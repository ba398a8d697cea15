internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// Which defect is active, and what it has seen so far.
final class MutantState: Sendable {
    let mutant: Mutant
    private let aborted = Mutex(false)

    init(_ mutant: Mutant) {
        self.mutant = mutant
    }

    var hasAborted: Bool { aborted.withLock { $0 } }

    /// What a tool with this defect writes into its history.
    func altered(_ event: HistoryEvent) -> HistoryEvent {
        switch event {
        case .aborted: aborted.withLock { $0 = true }
        case .cleanUp(_, let at) where mutant == .leftoversNotTold: return .cleanUp(leftovers: [], at: at)
        default: break
        }
        return event
    }
}

/// A fault with a defect in how it injects, heals or looks.
struct MutantFault<Base: Fault>: Fault {
    typealias Undo = Base.Undo

    static var kind: String { Base.kind }
    static var manual: Manual { Base.manual }
    static var parameters: [any AnyParameter] { Base.parameters }
    static var requires: Set<Target.Attribute> { Base.requires }
    static var targeting: Targeting { Base.targeting }
    static var division: String? { Base.division }
    static var composes: Bool { Base.composes }

    private let base: Base

    init(from reader: inout ParameterReader) {
        base = Base(from: &reader)
    }

    var persistence: Persistence { base.persistence }
    func resources(on target: Target) -> [String] { base.resources(on: target) }
    func plan(for target: Target) -> PlannedOperation { base.plan(for: target) }

    func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        try await base.prepare(target, in: context)
    }

    func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let sent = context.time.now
        let effect = try await base.inject(undo, in: context)
        switch (try context.services.require(MutantState.self).mutant, effect) {
        case (.unprovenIsConfirmed, .unproven):
            return .confirmed(InstantRange(sent, context.time.now), evidence: "the call succeeded")
        case (.effectIsDatedLate, .confirmed(let range, let evidence)):
            let late = Span.milliseconds(200)
            return .confirmed(InstantRange(range.lower + late, range.upper + late), evidence: evidence)
        default: return effect
        }
    }

    static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let state = try context.services.require(MutantState.self)
        switch state.mutant {
        case .healDoesNothing: return
        case .abortSkipsHeal where state.hasAborted: return
        case .healTakesErrorForSuccess:
            // The very thing that the rules of the project forbid.
            _ = try? await Base.heal(undo, in: context)
        default: try await Base.heal(undo, in: context)
        }
    }

    static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let state = try context.services.require(MutantState.self)
        switch state.mutant {
        case .healIsNotVerified: return nil
        case .abortSkipsHeal where state.hasAborted: return nil
        case .healTakesErrorForSuccess:
            do throws(FaultError) {
                return try await Base.leftover(of: undo, in: context)
            } catch {
                return nil
            }
        default: return try await Base.leftover(of: undo, in: context)
        }
    }

    static func manualHeal(_ undo: Undo) -> [String] { Base.manualHeal(undo) }
}
