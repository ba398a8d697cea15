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
    /// false: only after each call, for a fault whose like is killed everywhere else.
    var isThorough = true

    /// Kills one run at each boundary.
    func killAtEach(_ survivor: Crash.Survivor) async throws {
        let plans = try await plans()
        try #require(plans.count >= 7, "a run with a fault has more calls on its journal than \(plans.count)")
        try await forEach(plans, atOnce: width) { try await kill($0, survivor) }
    }

    private func plans() async throws -> [CrashPlan] {
        var plans: [CrashPlan] = []
        try await Crash.with(damages, "watched") { crash in
            let run = try await crash.space.squall(try crash.experiment())
            #expect(run.ending == .exited(0), "\(run.text)")
            let calls = crash.space.crashLog.calls(of: .controller)
            let writes = crash.space.crashLog.writes(of: .controller)
            // The journal's header, calls 1 and 2, comes before any fault.
            for call in stride(from: isThorough ? 1 : 3, through: calls, by: 1) {
                for side in CrashPlan.Side.allCases {
                    plans.append(CrashPlan(role: .controller, call: call, side: side))
                }
                if isThorough, writes.contains(call) {
                    plans.append(CrashPlan(role: .controller, call: call, action: .torn))
                }
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

/// Does the same for every element, so many at a time.
func forEach<Element: Sendable>(
    _ elements: [Element], atOnce width: Int, _ body: @Sendable @escaping (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, element) in elements.enumerated() {
            if index >= width { try await group.next() }
            group.addTask { try await body(element) }
        }
        try await group.waitForAll()
    }
}
