import Simulation
import Testing

/// The simulation is worth what it notices: each defect, put into the tool on purpose, is caught by a seed.
///
/// A seed that no longer catches its mutant is replaced by the next one that does: `Simulate --mutants 5000` prints them.
@Suite struct MutantTests {
    static let seeds: [(mutant: Mutant, seed: UInt64)] = [
        (.dropsIntent, 2),
        (.writesIntentAfterInjection, 2),
        (.neverSyncs, 1),
        (.recordsHealedBeforeHeal, 4),
        (.recordsFailedHealAsHealed, 38),
        (.dropsHealed, 1),
        (.replayTakesRelievedForHealed, 1200),
        (.replayHealsOldestFirst, 501),
        (.replayHealsNewestOnly, 4),
        (.medicIgnoresEndOfFile, 1),
        (.medicIgnoresTimeToLive, 131),
        (.medicFightsLiveController, 4),
        (.takesOverWithoutLock, 59),
        (.healsOutOfTurn, 2),
        (.healDoesNothing, 2),
        (.healIsNotVerified, 121),
        (.healTakesErrorForSuccess, 70),
        (.abortSkipsHeal, 4),
        (.unprovenIsConfirmed, 138),
        (.effectIsDatedLate, 2),
        (.recoveryTimeTooShort, 3),
        (.lossUndercounted, 29),
        (.splitBrainOverlooked, 12),
        (.leftoversNotTold, 38),
    ]

    @Test func everyMutantHasASeed() {
        #expect(Set(Self.seeds.map(\.mutant)) == Set(Mutant.allCases))
        #expect(Self.seeds.count >= 15)
    }

    @Test(arguments: seeds)
    func aMutantIsCaughtByItsSeed(mutant: Mutant, seed: UInt64) {
        #expect(!WorldRun.play(seed: seed, mutant: mutant).violations.isEmpty)
        #expect(WorldRun.play(seed: seed).violations.isEmpty, "the tool itself is accused as well")
    }
}
