import Basics
import Glibc
import Testing

/// Two runs want the same container.
@Suite(.enabled(if: isLabWanted, "needs the Docker engine and the lab's image: SQUALL_LAB=1"))
struct SharedTargetLabTests {
    @Test func theSecondRunOnATargetIsRefusedWithTheNameOfTheFirst() async throws {
        try await Crash.with([.pause], "two runs") { crash in
            let first = try crash.space.start(try crash.experiment(duration: .seconds(3)))
            _ = try await crash.faultyMedic()
            try await crash.expectRefusal(naming: crash.space)
            // Nothing was touched: the first run's fault is still there, and its heal is its own.
            #expect(try await crash.damage().count == 1, "the second run has healed the first one's fault")
            try await crash.expectOrderlyEnd(of: first)
            let third = try await crash.elsewhere()
            #expect(third.ending == .exited(0), "\(third.text)")
        }
    }

    @Test func aTargetStaysLockedAfterItsControllersDeathUntilTheMedicHasHealed() async throws {
        try await Crash.with([.pause], "two runs, the first one's controller dies") { crash in
            let first = try crash.space.start(try crash.experiment(duration: .seconds(60)))
            let medic = try await crash.faultyMedic()
            kill(medic, SIGSTOP)
            try first.send(SIGKILL)
            _ = try await first.ending(within: .seconds(5))
            try await crash.expectRefusal(naming: crash.space)
            kill(medic, SIGCONT)
            try await crash.recover(.medic)
            let third = try await crash.elsewhere()
            #expect(third.ending == .exited(0), "\(third.text)")
        }
    }
}

extension Crash {
    /// The same experiment from another folder with a state of its own: only the machine's locks can stand in its way.
    fileprivate func elsewhere() async throws -> (ending: SquallProcess.Ending, text: String) {
        let other = try CrashSpace()
        let experiment = CrashExperiment(victims: victims, duration: .milliseconds(50))
        return try await other.squall(try experiment.arguments(in: other))
    }

    fileprivate func expectRefusal(naming owner: CrashSpace) async throws {
        let second = try await elsewhere()
        #expect(second.ending == .exited(2), "\(label): \(second.text)")
        let run = try #require(try owner.run?.journal().first?.body["_0"] as? [String: Any])["run"] as? String
        #expect(second.text.contains(try #require(run)), "\(label): \(second.text)")
    }
}
