internal import Contracts
internal import Docker

/// A defect that is put into the tool on purpose, at one of its seams: the simulation must notice each of them.
package enum Mutant: String, Sendable, CaseIterable {
    // The journal
    case dropsIntent
    case writesIntentAfterInjection
    case neverSyncs
    case recordsHealedBeforeHeal
    case recordsFailedHealAsHealed
    case dropsHealed
    // Replay
    case replayTakesRelievedForHealed
    case replayHealsOldestFirst
    case replayHealsNewestOnly
    // The medic
    case medicIgnoresEndOfFile
    case medicIgnoresTimeToLive
    case medicFightsLiveController
    case takesOverWithoutLock
    case healsOutOfTurn
    // Faults and heals
    case healDoesNothing
    case healIsNotVerified
    case healTakesErrorForSuccess
    case abortSkipsHeal
    case unprovenIsConfirmed
    case effectIsDatedLate
    // The verdict
    case recoveryTimeTooShort
    case lossUndercounted
    case splitBrainOverlooked
    case leftoversNotTold

    /// The kinds with this defect in them.
    var registry: Registry {
        switch self {
        case .healDoesNothing, .healIsNotVerified, .healTakesErrorForSuccess, .abortSkipsHeal, .unprovenIsConfirmed,
            .effectIsDatedLate:
            var registry = WorldKinds.plain
            registry.faults = [
                MutantFault<ContainerKillFault>.self, MutantFault<ContainerStopFault>.self,
                MutantFault<ContainerPauseFault>.self, MutantFault<ContainerRestartFault>.self,
                MutantFault<SimulatedRuleFault>.self, MutantFault<SimulatedSettingFault>.self,
            ]
            return registry
        default: return WorldKinds.plain
        }
    }

    /// A figure as a tool with this defect reports it.
    func altered(_ result: CriterionResult) -> CriterionResult {
        var altered = result
        switch (self, result.kind) {
        case (.recoveryTimeTooShort, "rto"):
            altered.lower = result.lower.map { $0 * 0.9 }
            altered.upper = result.upper.map { $0 * 0.9 }
        case (.lossUndercounted, "rpo"):
            altered.lower = result.lower.map { max(0, $0 - 1) }
            altered.upper = result.upper.map { max(0, $0 - 1) }
        case (.splitBrainOverlooked, "split-brain"):
            altered.lower = result.lower.map { _ in 0 }
            altered.upper = result.upper.map { _ in 0 }
        default: break
        }
        return altered
    }
}
