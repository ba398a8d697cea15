package import Basics
package import Contracts
internal import Controller
internal import Experiment
internal import Journal
internal import Synchronization

/// One seed, played to its end and inspected.
package struct WorldRun: Sendable {
    package var seed: UInt64
    /// What must never happen; empty in a good run.
    package var violations: [String]
    /// A digest of the whole schedule.
    package var trace: UInt64
    package var verdict: Verdict
    package var exitCode: Int32
    package var simulated: Span
    package var jobs: Int
    /// The whole run in words; only when asked for.
    package var story: [String] = []

    /// No run needs longer, healing against dead engines included.
    private static let longest = Span.minutes(90)

    /// Plays the world of this seed with a tool that has this defect; nil: with the tool as it is.
    package static func play(seed: UInt64, mutant: Mutant? = nil, tellsStory: Bool = false) -> WorldRun {
        do {
            let stage = try WorldStage(WorldPlan(seed: seed), mutant: mutant)
            return try play(stage, tellsStory: tellsStory)
        } catch {
            return WorldRun(
                seed: seed, violations: ["the world cannot be made: \(error)"], trace: 0, verdict: .inconclusive,
                exitCode: 5, simulated: .zero, jobs: 0)
        }
    }

    private static func play(_ stage: WorldStage, tellsStory: Bool) throws -> WorldRun {
        let (controller, driver) = try stage.startController()
        var trouble = WorldTrouble(stage, controller: controller, driver: driver)
        trouble.apply()
        var violations = stage.untilQuiet(within: longest)
        violations += stage.healWhatIsLeft()
        stage.pass(.seconds(5))
        let inspection = WorldInspection(stage, controller: controller)
        violations += inspection.violations
        let trace = stage.world.trace
        violations += stage.world.end().map { "\($0) does not end when it is killed" }
        var run = WorldRun(
            seed: stage.plan.seed, violations: violations, trace: trace, verdict: inspection.verdict,
            exitCode: inspection.exitCode, simulated: stage.world.now - WorldPlan.start, jobs: stage.world.jobs)
        if tellsStory { run.story = WorldStory.tell(stage, inspection) }
        return run
    }
}

extension WorldStage {
    /// Runs until no process lives any more; what stands in the way is returned.
    func untilQuiet(within limit: Span) -> [String] {
        let deadline = world.now + limit
        if !world.runUntilQuiet(within: deadline) {
            return ["deadlock: \(world.living.joined(separator: ", ")) wait for what will never come"]
        }
        return world.isQuiet ? [] : ["\(world.living.joined(separator: ", ")) still run after \(limit)"]
    }

    func pass(_ span: Span) {
        let until = world.now + span
        world.schedule(at: until) {}
        _ = world.run { world.now >= until }
    }

    /// What a person, or the next boot, does: `squall heal`, again when it was killed as well.
    func healWhatIsLeft() -> [String] {
        var violations: [String] = []
        var draw = Draw(seed: plan.seed &+ 0x4EA1)
        for number in 1...4 {
            guard !disk.records.isEmpty, !disk.isClosed else { break }
            if number > 1 || draw.chance(50) { clear() }
            let heal = startHeal(number)
            if number < 3, draw.chance(30) { heal.plan(.killBefore(effect: draw.number(1..<40))) }
            violations += untilQuiet(within: .minutes(30))
            if !plan.weather.denied.isEmpty, !heal.isDead { break }
        }
        return violations
    }

    /// The weather clears, and the disk has room again.
    private func clear() {
        let clear = max(WorldPlan.start + plan.clearsAt, disk.state.withLock { $0.full?.upper } ?? WorldPlan.start)
        if clear > world.now { pass(clear - world.now + .seconds(1)) }
    }
}
