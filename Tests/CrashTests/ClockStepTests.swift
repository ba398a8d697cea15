import Basics
import Testing

/// The wall clock jumps in the middle of a fault: schedules, reliefs and figures live on a clock that cannot be set.
@Suite struct ClockStepTests {
    @Test(arguments: [3_600, -3_600])
    func aSteppedClockNeitherEndsAFaultEarlyNorKeepsIt(seconds: Int) async throws {
        var plan = CrashPlan(role: .controller, call: 5, side: .after, action: .step)
        plan.step = seconds
        try await Crash.with([.flag], "the clock jumps by \(seconds) s") { crash in
            let run = try await crash.space.squall(try crash.experiment(duration: .seconds(1)), plan)
            #expect(run.ending == .exited(0), "\(run.text)")
            #expect(crash.space.crashLog.showsSteppedClock, "nobody has read the clock after its jump")
            #expect(try await crash.damage() == [])
            let journal = try #require(crash.space.run).journal()
            let active = try #require(journal.first { $0.form == "active" }?.body["at"] as? Int)
            let healing = try #require(journal.first { $0.form == "healing" }?.body["at"] as? Int)
            #expect((900_000_000...3_000_000_000).contains(healing - active), "the fault lasted \(healing - active) ns")
            #expect(!journal.contains { $0.form == "relieved" })
        }
    }

    @Test(arguments: [3_600, -3_600])
    func aMedicHealsAtOnceWhateverTheClockSays(seconds: Int) async throws {
        var plan = CrashPlan(role: .controller, call: 5, side: .after, action: .step)
        plan.step = seconds
        try await Crash.with([.flag, .freeze], "the clock jumps by \(seconds) s, the controller dies") { crash in
            try await crash.killWhileFaulty(plan)
            try await crash.recover(.medic)
            try await crash.expectNothingIsLeft(.medic)
        }
    }
}
