import Basics
import Glibc
import Testing

/// The Docker engine goes away under an active fault, and comes back.
@Suite(.enabled(if: isLabWanted, "starts a Docker engine of its own: SQUALL_LAB=1"))
struct EngineRestartLabTests {
    @Test(arguments: [SIGTERM, SIGKILL])
    func aRunHealsWhenItsEngineIsRestartedUnderTheFault(signal: Int32) async throws {
        try await forEach([Damage.pause, .kill], atOnce: 2) { damage in
            try await PrivateEngine.with(isLiveRestoring: true) { engine in
                try await Crash.with([damage], "the engine gets \(signal)", engine: engine.host) { crash in
                    let controller = try crash.space.start(try crash.experiment(duration: .seconds(2)))
                    _ = try await crash.faultyMedic()
                    try await crash.isSeen(by: engine)
                    try await engine.end(signal)
                    try await engine.start()
                    try await crash.expectOrderlyEnd(of: controller)
                }
            }
        }
    }

    /// Without live restore the engine takes its containers down with it and starts those that ask for it again.
    @Test func aContainerThatTheEngineItselfStartedAgainIsHealed() async throws {
        try await PrivateEngine.with(isLiveRestoring: false) { engine in
            try await Crash.with([.pauseRestarting], "the engine restarts all", engine: engine.host) { crash in
                let controller = try crash.space.start(try crash.experiment(duration: .seconds(2)))
                _ = try await crash.faultyMedic()
                try await crash.isSeen(by: engine)
                try await engine.end(SIGTERM)
                try await engine.start()
                try await crash.expectOrderlyEnd(of: controller)
            }
        }
    }

    /// Nobody can heal while the engine is away: the medic keeps trying until it is back.
    @Test(arguments: [Damage.pause, .kill])
    func aMedicWaitsForAnEngineThatIsDownWhenTheControllerDies(damage: Damage) async throws {
        try await PrivateEngine.with(isLiveRestoring: true) { engine in
            try await Crash.with([damage], "the engine is down for 5 s", engine: engine.host) { crash in
                let controller = try crash.space.start(try crash.experiment(duration: .seconds(60)))
                _ = try await crash.faultyMedic()
                try await crash.isSeen(by: engine)
                try await engine.end(SIGKILL)
                try controller.send(SIGKILL)
                try await SystemTimeSource().sleep(for: .seconds(5))
                #expect(!crash.space.medics.isEmpty, "the medic gave up")
                try await engine.start()
                #expect(try await crash.isWhole(within: .seconds(5)), "not healed after the engine came back")
                try await crash.recover(.medic)
                try await crash.expectNothingIsLeft(.medic)
            }
        }
    }
}

extension Crash {
    /// The engine knows of every victim what the kernel shows.
    fileprivate func isSeen(by engine: PrivateEngine) async throws {
        for case let container as ContainerVictim in victims {
            try await engine.hasSeen(container.isKilled ? "exited" : "paused", of: container.name)
        }
    }
}
