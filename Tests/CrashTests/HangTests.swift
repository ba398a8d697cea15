import Basics
import Glibc
import Testing

/// A controller that hangs is relieved, and never fought.
@Suite struct HangTests {
    @Test func aFaultPastItsTimeIsHealedWhileTheControllerHangs() async throws {
        try await Crash.with([.flag, .freeze], "the controller hangs and wakes") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(1)))
            _ = try await crash.faultyMedic()
            try controller.send(SIGSTOP)
            // One second of fault, two of grace; the rest is for a busy machine.
            #expect(try await crash.isWhole(within: .seconds(5)), "the faults outlive a hung controller")
            #expect(ProcessList.state(controller.pid) == "T", "the controller hangs no more")
            try controller.send(SIGCONT)
            // What was measured while nobody measured is worth nothing: the run is inconclusive.
            try await crash.expectOrderlyEnd(of: controller, codes: [5])
            let forms = try #require(crash.space.run).journal().map(\.form)
            #expect(forms.count { $0 == "relieved" } == 2, "\(forms)")
            #expect(forms.count { $0 == "healed" } == 2, "\(forms)")
        }
    }

    @Test func aControllerThatWakesInTimeIsNotRelieved() async throws {
        try await Crash.with([.flag, .freeze], "the controller hangs for a moment") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(1)))
            _ = try await crash.faultyMedic()
            try controller.send(SIGSTOP)
            try await SystemTimeSource().sleep(for: .milliseconds(1_500))
            #expect(try await crash.damage().count == 2, "the medic healed beside a controller that had time left")
            try controller.send(SIGCONT)
            try await crash.expectOrderlyEnd(of: controller)
            let forms = try #require(crash.space.run).journal().map(\.form)
            #expect(!forms.contains("relieved"), "\(forms)")
        }
    }

    /// Stopped after the intent is on disk: nothing is injected yet, and the medic knows no effect.
    @Test func aControllerStoppedBetweenIntentAndInjectGoesOnWhenItWakes() async throws {
        let plan = CrashPlan(role: .controller, call: 4, side: .after, action: .stop)
        try await Crash.with([.freeze], "\(plan), then it wakes") { crash in
            let controller = try crash.space.start(try crash.experiment(), plan)
            try await crash.expectStopped(controller)
            try controller.send(SIGCONT)
            try await crash.expectOrderlyEnd(of: controller)
        }
    }

    @Test(arguments: [true, false])
    func aControllerStoppedBetweenIntentAndInjectIsHealedAfterItsDeath(wakes: Bool) async throws {
        let plan = CrashPlan(role: .controller, call: 4, side: .after, action: .stop)
        try await Crash.with([.flag, .freeze], "\(plan), wakes: \(wakes), then it dies") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(60)), plan)
            try await crash.expectStopped(controller)
            if wakes {
                try controller.send(SIGCONT)
                _ = try await crash.faultyMedic()
            }
            try controller.send(SIGKILL)
            try await crash.recover(.medic)
            try await crash.expectNothingIsLeft(.medic)
        }
    }

    @Test func aHungControllerThatIsKilledAfterItsReliefLeavesNothing() async throws {
        try await Crash.with([.flag, .freeze], "the controller hangs, is relieved, and dies") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .milliseconds(500)))
            _ = try await crash.faultyMedic()
            try controller.send(SIGSTOP)
            #expect(try await crash.isWhole(within: .seconds(5)), "the faults outlive a hung controller")
            try controller.send(SIGKILL)
            try await crash.recover(.medic)
            try await crash.expectNothingIsLeft(.medic)
        }
    }
}

/// The same on the real engine.
@Suite(.enabled(if: isLabWanted, "needs the Docker engine and the lab's image: SQUALL_LAB=1"))
struct HangLabTests {
    @Test(arguments: [Damage.pause, .kill, .remove])
    func aContainerFaultPastItsTimeIsHealedWhileTheControllerHangs(damage: Damage) async throws {
        try await Crash.with([damage], "the controller hangs and wakes") { crash in
            let controller = try crash.space.start(try crash.experiment(duration: .seconds(1)))
            _ = try await crash.faultyMedic()
            try controller.send(SIGSTOP)
            let isWhole = try await eventually(within: .seconds(6)) { try await crash.damage().isEmpty }
            #expect(isWhole, "\(crash.label): not relieved")
            try controller.send(SIGCONT)
            try await crash.expectOrderlyEnd(of: controller, codes: [5])
        }
    }
}

extension Crash {
    /// Whether every victim is whole to the kernel in time.
    func isWhole(within limit: Span) async throws -> Bool {
        try await eventually(within: limit) { victims.allSatisfy(\.isWholeToTheKernel) }
    }

    func expectStopped(_ controller: SquallProcess) async throws {
        let isStopped = try await eventually(within: .seconds(20)) { ProcessList.state(controller.pid) == "T" }
        try #require(isStopped, "\(label): the stop was never reached: \(space.output())")
    }

    /// The run ends by itself with a verdict of its own, healed and closed.
    func expectOrderlyEnd(of controller: SquallProcess, codes: [Int32] = [0, 1, 3]) async throws {
        let ending = try await controller.ending(within: .seconds(30))
        #expect(codes.map { .exited($0) }.contains(ending), "\(label): \(space.output())")
        let left = try await damage()
        #expect(left.isEmpty, "\(label): \(left)")
        let run = try #require(space.run)
        #expect(try run.isClosed(), "\(label): the journal is not closed")
        #expect(try run.verdict() != nil, "\(label): no verdict")
        #expect(space.medics.isEmpty, "\(label): the medic is still there")
        let listed = try await listedLeftovers()
        #expect(listed == nil, "\(label): \(listed ?? "")")
    }
}
