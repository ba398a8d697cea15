import Basics
import Testing

/// The controller dies at every call on its journal, before it and after it.
@Suite struct BoundaryTests {
    @Test(arguments: Damage.withoutEngine, Crash.Survivor.allCases)
    func aControllerKilledAtAnyCallOnItsJournalLeavesNothing(damage: Damage, survivor: Crash.Survivor) async throws {
        try await Boundaries(damages: [damage]).killAtEach(survivor)
    }

    @Test(arguments: Crash.Survivor.allCases)
    func twoFaultsAtOnceAreHealedWhereverTheControllerDies(survivor: Crash.Survivor) async throws {
        try await Boundaries(damages: [.flag, .freeze]).killAtEach(survivor)
    }
}

/// All the places where a run touches its journal, found by watching a run that nobody kills.
struct Boundaries {
    var damages: [Damage]
    /// Runs at the same time.
    var width = 4

    /// Kills one run at each boundary.
    func killAtEach(_ survivor: Crash.Survivor) async throws {
        let plans = try await plans()
        try #require(plans.count >= 10, "a run with a fault has more calls on its journal than \(plans.count)")
        var waiting = plans.makeIterator()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<width {
                guard let plan = waiting.next() else { break }
                group.addTask { try await kill(plan, survivor) }
            }
            for try await _ in group {
                if let plan = waiting.next() { group.addTask { try await kill(plan, survivor) } }
            }
        }
    }

    private func plans() async throws -> [CrashPlan] {
        var plans: [CrashPlan] = []
        try await Crash.with(damages, "watched") { crash in
            let run = try await crash.space.squall(try crash.experiment())
            #expect(run.ending == .exited(0), "\(run.text)")
            let calls = crash.space.crashLog.calls(of: .controller)
            let writes = crash.space.crashLog.writes(of: .controller)
            for call in stride(from: 1, through: calls, by: 1) {
                for side in CrashPlan.Side.allCases {
                    plans.append(CrashPlan(role: .controller, call: call, side: side))
                }
                if writes.contains(call) { plans.append(CrashPlan(role: .controller, call: call, action: .torn)) }
            }
        }
        return plans
    }

    private func kill(_ plan: CrashPlan, _ survivor: Crash.Survivor) async throws {
        var plan = plan
        plan.isLastOfItsKind = survivor == .nobody
        try await Crash.with(damages, "\(plan), \(survivor) survives") { crash in
            let isDead = try await crash.dieAsPlanned(plan)
            #expect(isDead, "\(crash.label): the call was never made")
            guard isDead else { return }
            try await crash.recover(survivor)
            try await crash.expectNothingIsLeft(survivor)
        }
    }
}
