import Basics
import Testing

/// The controller dies at writes of its history: what was written before stays, half a line is no obstacle.
@Suite struct HistoryBoundaryTests {
    @Test(arguments: [CrashPlan.Action.kill, .torn], [1, 2, 5, 12, 25])
    func aHistoryKeepsEveryLineThatWasWrittenBeforeTheCrash(action: CrashPlan.Action, call: Int) async throws {
        let plan = CrashPlan(role: .controller, call: call, action: action, file: "events.ndjson")
        try await Crash.with([.flag], "\(plan)") { crash in
            let isDead = try await crash.dieAsPlanned(plan)
            #expect(isDead, "\(crash.label): so many writes were never made")
            try await crash.recover(.medic)
            try await crash.expectNothingIsLeft(.medic)
        }
    }

    /// The medic dies while it tells the history what it heals; the next heal goes on from there.
    @Test(arguments: 1...5)
    func aMedicThatDiesWhileItWritesTheHistoryIsFollowedByAHealByHand(call: Int) async throws {
        let medic = CrashPlan(role: .medic, call: call, action: .torn, file: "events.ndjson")
        try await Crash.with([.flag, .freeze], "\(medic)") { crash in
            try await crash.killWhileFaulty(medic)
            let isOver = try await eventually(within: .seconds(10)) { crash.space.medics.isEmpty }
            #expect(isOver, "\(crash.label): the medic does not end")
            try await crash.recover(.nobody)
            try await crash.expectNothingIsLeft(.nobody)
        }
    }
}
