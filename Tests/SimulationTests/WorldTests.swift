import Basics
import Simulation
import Testing

/// The tool in worlds that were drawn from seeds: what is true of each world is known, and the tool must not differ.
@Suite struct WorldTests {
    @Test(arguments: 0..<10)
    func noWorldIsLeftFaultyOrMisjudged(block: UInt64) {
        for seed in block * 30 + 1...block * 30 + 30 {
            let run = WorldRun.play(seed: seed)
            #expect(run.violations.isEmpty, "scripts/simulate --seed \(seed)")
        }
    }

    @Test func aSeedPlaysTheSameScheduleEachTime() {
        for seed in UInt64(1)...40 {
            let runs = (0..<2).map { _ in WorldRun.play(seed: seed) }
            #expect(runs[0].trace == runs[1].trace, "seed \(seed)")
            #expect(runs[0].jobs == runs[1].jobs, "seed \(seed)")
            #expect(runs[0].exitCode == runs[1].exitCode, "seed \(seed)")
        }
    }

    @Test func seedsDrawDifferentWorlds() {
        let runs = (UInt64(1)...120).map { WorldRun.play(seed: $0) }
        #expect(Set(runs.map(\.trace)).count == runs.count)
        #expect(Set(runs.map(\.verdict)).count == 3, "every verdict comes up")
        #expect(Set(runs.map(\.exitCode)).isSuperset(of: [0, 1, 3, 5]))
    }
}
