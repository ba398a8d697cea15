import Basics
import Glibc
import Testing

/// The medic dies: alone, before its controller, after it, or half-way through a heal.
@Suite struct MedicDeathTests {
    /// What all the other tests rely on: a fault that nobody heals is there, and is seen.
    @Test func withoutAMedicAndAPersonTheFaultsStay() async throws {
        try await Crash.with([.flag, .freeze], "nobody heals") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .milliseconds(400)))
            kill(try await crash.faultyMedic(), SIGKILL)
            try controller.send(SIGKILL)
            _ = try await controller.ending(within: .seconds(5))
            for medic in crash.space.medics { kill(medic, SIGKILL) }
            #expect(try await !crash.isWhole(within: .seconds(1)))
            #expect(try await crash.damage().count == 2)
            #expect(try await crash.listedLeftovers() != nil)
            #expect(try await crash.space.squall(try crash.experiment()).ending == .exited(6))
            try await crash.recover(.nobody)
            try await crash.expectNothingIsLeft(.nobody)
        }
    }

    @Test func aControllerThatLosesItsMedicStartsAnotherAndEndsAsUsual() async throws {
        try await Crash.with([.flag], "the medic is killed once") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(1)))
            let first = try await crash.faultyMedic()
            kill(first, SIGKILL)
            let isReplaced = try await eventually(within: .seconds(2)) {
                crash.space.medics.contains { $0 != first }
            }
            #expect(isReplaced, "no other medic was started")
            #expect(try await controller.ending(within: .seconds(20)) == .exited(0), "\(crash.space.output())")
            #expect(try await crash.damage() == [])
            #expect(try crash.space.run?.isClosed() == true)
            #expect(crash.space.medics.isEmpty)
        }
    }

    @Test func aControllerWhoseMedicsAllDieHealsAndEndsWithTheEnvironmentsCode() async throws {
        try await Crash.with([.flag, .freeze], "every medic is killed") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(60)))
            _ = try await crash.faultyMedic()
            let isOver = try await eventually(within: .seconds(30)) {
                for medic in crash.space.medics { kill(medic, SIGKILL) }
                return try await controller.ending(within: .milliseconds(5)) != nil
            }
            #expect(isOver, "the run goes on without a medic")
            #expect(try await controller.ending(within: .zero) == .exited(5), "\(crash.space.output())")
            #expect(try await crash.damage() == [])
            #expect(try crash.space.run?.isClosed() == true)
        }
    }

    @Test func aMedicThatHangsKeepsNoRunFromEndingAndTouchesNothingWhenItWakes() async throws {
        try await Crash.with([.flag, .freeze], "the medic hangs") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(1)))
            let medic = try await crash.faultyMedic()
            kill(medic, SIGSTOP)
            #expect(try await controller.ending(within: .seconds(20)) == .exited(0), "\(crash.space.output())")
            #expect(try await crash.damage() == [])
            let journal = try #require(crash.space.run).journal().count
            kill(medic, SIGCONT)
            let isOver = try await eventually(within: .seconds(5)) { crash.space.medics.isEmpty }
            #expect(isOver, "the medic does not end")
            #expect(try #require(crash.space.run).journal().count == journal, "the medic wrote into a closed journal")
            try await crash.expectUsable()
        }
    }

    @Test(arguments: [SIGKILL, SIGSTOP])
    func aMedicThatDiesOrHangsFirstAndItsControllerAfterItLeaveTheHealToAPerson(signal: Int32) async throws {
        try await Crash.with([.flag, .freeze], "the medic gets \(signal), then the controller dies") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(60)))
            let medic = try await crash.faultyMedic()
            kill(medic, signal)
            try controller.send(SIGKILL)
            _ = try await controller.ending(within: .seconds(5))
            for medic in crash.space.medics { kill(medic, SIGKILL) }
            let isOver = try await eventually(within: .seconds(5)) { crash.space.medics.isEmpty }
            #expect(isOver)
            try await crash.recover(.nobody)
            try await crash.expectNothingIsLeft(.nobody)
        }
    }

    /// The journal of a medic's takeover has these calls; each is a place to die.
    @Test(arguments: 1...12, CrashPlan.Side.allCases)
    func aMedicKilledAtAnyCallOfItsHealIsFollowedByAHealByHand(call: Int, side: CrashPlan.Side) async throws {
        let plan = CrashPlan(role: .medic, call: call, side: side)
        try await Crash.with([.flag, .freeze], "\(plan)") { crash in
            try await crash.killWhileFaulty(plan)
            let isOver = try await eventually(within: .seconds(10)) { crash.space.medics.isEmpty }
            #expect(isOver, "\(crash.label): the medic does not end")
            // Beyond its last call the medic ends well, and there is nothing to do for a person.
            try await crash.recover(.nobody)
            try await crash.expectNothingIsLeft(.nobody)
        }
    }

    @Test(arguments: 1...12, CrashPlan.Side.allCases)
    func aHealByHandThatIsKilledIsSimplyRepeated(call: Int, side: CrashPlan.Side) async throws {
        let plan = CrashPlan(role: .heal, call: call, side: side)
        try await Crash.with([.flag, .freeze], "\(plan)") { crash in
            var first = CrashPlan(role: .controller, call: 7)
            first.isLastOfItsKind = true
            #expect(try await crash.dieAsPlanned(first))
            let heal = try await crash.space.squall(["heal", "--all"], plan)
            #expect([.killed(SIGKILL), .exited(0)].contains(heal.ending), "\(crash.label): \(heal.text)")
            try await crash.recover(.nobody)
            try await crash.expectNothingIsLeft(.nobody)
        }
    }
}
