import Simulation
import Testing

/// The simulation is worth what it notices: each defect, put into the tool on purpose, is caught by a seed.
///
/// A seed that no longer catches its mutant is replaced by the next one that does: `Simulate --mutants 5000` prints them.
@Suite struct MutantTests {
    static let seeds: [(mutant: Mutant, seed: UInt64)] = [

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
