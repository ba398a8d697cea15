import Basics
import Glibc
import Testing

/// The controller dies while its change is on the way: a program it started, a request its engine has accepted. Nobody
/// stops those, so that the change arrives after the first heal.
@Suite struct InFlightTests {
    @Test(arguments: [0, 50, 200, 450], Crash.Survivor.allCases)
    func aProgramThatOutlivesItsControllerCannotLeaveItsEffect(delay: Int64, survivor: Crash.Survivor) async throws {
        try await Crash.with([.lateFlag], "killed \(delay) ms after the intent, \(survivor) survives") { crash in
            try await crash.killInFlight(after: .milliseconds(delay), survivor)
        }
    }
}

/// The same for requests to the engine.
@Suite(.enabled(if: isLabWanted, "needs the Docker engine and the lab's image: SQUALL_LAB=1"))
struct InFlightLabTests {
    @Test(arguments: [Damage.stubbornStop, .stubbornRestart, .pause, .remove])
    func aRequestThatTheEngineHasAcceptedCannotLeaveItsEffect(damage: Damage) async throws {
        try await forEach([0, 4, 15, 40, 300], atOnce: 5) { (delay: Int64) in
            try await Crash.with([damage], "killed \(delay) ms after the intent") { crash in
                try await crash.killInFlight(after: .milliseconds(delay), .medic)
            }
        }
    }

    @Test(arguments: [Damage.stubbornStop, .pause])
    func aHealByHandWaitsForWhatIsOnTheWay(damage: Damage) async throws {
        try await Crash.with([damage], "killed 15 ms after the intent, nobody survives") { crash in
            try await crash.killInFlight(after: .milliseconds(15), .nobody)
        }
    }
}

extension Crash {
    /// Kills so long after the intent was written; what survives heals, and what arrives later is healed too.
    fileprivate func killInFlight(after delay: Span, _ survivor: Survivor) async throws {
        let controller = try space.start(try experiment(duration: .seconds(60)))
        let isIntended = try await eventually(within: .seconds(20)) {
            try space.run?.journal().contains { $0.form == "intent" } ?? false
        }
        try #require(isIntended, "\(label): no intent: \(space.output())")
        try await SystemTimeSource().sleep(for: delay)
        if survivor == .nobody { for medic in space.medics { kill(medic, SIGKILL) } }
        try controller.send(SIGKILL)
        _ = try await controller.ending(within: .seconds(5))
        switch survivor {
        case .medic:
            let isOver = try await eventually(within: .seconds(40)) { space.medics.isEmpty }
            #expect(isOver, "\(label): the medic does not end")
        case .nobody: try await recover(.nobody)
        }
        try await expectNothingIsLeft(survivor)
        // Whoever said that nothing is left must have waited for what was still to come.
        try await SystemTimeSource().sleep(for: .seconds(1))
        let late = try await damage()
        #expect(late.isEmpty, "\(label): arrived after the heal: \(late)")
    }
}
