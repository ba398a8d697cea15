import Simulation
import Testing

/// The simulation is worth what it notices: each defect, put into the tool on purpose, is caught by a seed.
///
/// A seed that no longer catches its mutant is replaced by the next one that does: `Simulate --mutants 5000` prints them.
@Suite struct MutantTests {
    static let seeds: [(mutant: Mutant, seed: UInt64)] = [
        (.dropsIntent, 1),
        (.writesIntentAfterInjection, 1),
        (.neverSyncs, 1),
        (.recordsHealedBeforeHeal, 28),
        (.recordsFailedHealAsHealed, 38),
        (.dropsHealed, 1),
        (.replayTakesRelievedForHealed, 2939),
        (.replayHealsOldestFirst, 1391),
        (.replayHealsNewestOnly, 9),
        (.medicIgnoresEndOfFile, 9),
        (.medicIgnoresTimeToLive, 223),
        (.medicFightsLiveController, 4),
        (.takesOverWithoutLock, 206),
        (.healsOutOfTurn, 3512),
        (.healDoesNothing, 1),
        (.healIsNotVerified, 65),
        (.healTakesErrorForSuccess, 20),
        (.abortSkipsHeal, 9),
        (.unprovenIsConfirmed, 5),
        (.effectIsDatedLate, 1),
        (.recoveryTimeTooShort, 1),
        (.lossUndercounted, 18),
        (.splitBrainOverlooked, 5),
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
