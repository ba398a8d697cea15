import Basics
import Contracts
import Testing

@testable import Docker

/// Every fault on a real container, its effect checked against the kernel and not against what the fault says.
@Suite(.enabled(if: isLabWanted, "needs a Docker engine with the lab's image: SQUALL_LAB=1"))
struct FaultLabTests {
    private func confirmed(_ effect: Effect) throws -> InstantRange {
        guard case .confirmed(let range, let evidence) = effect else {
            throw Refused(messages: ["the effect is \(effect)"])
        }
        #expect(!evidence.isEmpty)
        return range
    }

    /// Heals twice from the journal's bytes, and expects to find the leftover only before.
    private func healed<Kind: Fault>(_ kind: Kind.Type, _ undo: Kind.Undo, _ lab: LabFixture) async throws {
        let undo = try roundTrip(undo)
        let leftover = try #require(try await Kind.leftover(of: undo, in: lab.context))
        #expect(leftover.kind == Kind.kind && !leftover.commands.isEmpty && !leftover.description.isEmpty)
        #expect(!Kind.manualHeal(undo).isEmpty)
        try await Kind.heal(undo, in: lab.context)
        #expect(try await Kind.leftover(of: undo, in: lab.context) == nil)
        let state = try await lab.engine.inspect(leftover.target)
        try await Kind.heal(undo, in: lab.context)
        #expect(try await Kind.leftover(of: undo, in: lab.context) == nil)
        let again = try await lab.engine.inspect(leftover.target)
        #expect(again.state == .running)
        #expect(again.startedAt == state.startedAt)
    }

    @Test(arguments: ["pidfd", "engine", nil])
    func killEndsTheProcessAndHealStartsTheContainer(via: String?) async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerKillFault.self, via.map { [("via", $0)] } ?? [])
            let undo = try await fault.prepare(container.target, in: lab.context)
            #expect(undo.route.rawValue == via ?? "pidfd")
            #expect(kernelState(container.pid) == "S")
            let before = lab.context.time.now
            let range = try confirmed(try await fault.inject(undo, in: lab.context))
            #expect(kernelState(container.pid) != "S")
            #expect(range.lower >= before && range.upper <= lab.context.time.now)
            try await settled(container, lab)
            try await healed(ContainerKillFault.self, undo, lab)
        }
    }

    /// The engine notes the exit a moment after the kernel.
    private func settled(_ container: ContainerDetails, _ lab: LabFixture) async throws {
        while try await lab.engine.inspect(container.id).state == .running {}
    }

    @Test func aSignalThatTheInitProcessIgnoresIsUnproven() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerKillFault.self, [("signal", "SIGTERM"), ("within", "200ms")])
            let undo = try await fault.prepare(container.target, in: lab.context)
            guard case .unproven(let reason) = try await fault.inject(undo, in: lab.context) else {
                throw Refused(messages: ["sleep as pid 1 does not handle SIGTERM"])
            }
            #expect(reason.contains("SIGTERM") && reason.contains(container.name))
            #expect(kernelState(container.pid) == "S")
            #expect(try await ContainerKillFault.leftover(of: undo, in: lab.context) == nil)
        }
    }

    @Test func aStopSignalIsReadBackAndContinued() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerKillFault.self, [("signal", "SIGSTOP")])
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try confirmed(try await fault.inject(undo, in: lab.context))
            #expect(kernelState(container.pid) == "T")
            try await healed(ContainerKillFault.self, undo, lab)
            #expect(kernelState(container.pid) == "S")
        }
    }

    @Test func stopEndsTheProcessAndHealStartsTheContainer() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerStopFault.self, [("timeout", "1s")])
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try confirmed(try await fault.inject(undo, in: lab.context))
            #expect(kernelState(container.pid) == nil)
            try await healed(ContainerStopFault.self, undo, lab)
        }
    }

    @Test func pauseFreezesTheControlGroupAndHealThawsIt() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerPauseFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            let thawed = try #require(kernelFreezer(container.id))
            #expect(thawed == "THAWED\n" || thawed.contains("frozen 0"))
            let before = lab.context.time.now
            let range = try confirmed(try await fault.inject(undo, in: lab.context))
            #expect(range.lower >= before && range.upper <= lab.context.time.now)
            let frozen = try #require(kernelFreezer(container.id))
            #expect(frozen == "FROZEN\n" || frozen.contains("frozen 1"))
            try await healed(ContainerPauseFault.self, undo, lab)
            #expect(kernelFreezer(container.id) == thawed)
            #expect(kernelState(container.pid) == "S")
        }
    }

    @Test func restartEndsTheProcessAndLeavesNothingToHeal() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerRestartFault.self, [("timeout", "1s")])
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try confirmed(try await fault.inject(undo, in: lab.context))
            let after = try await lab.engine.inspect(container.id)
            #expect(after.state == .running && after.pid != container.pid)
            #expect(kernelState(container.pid) == nil && kernelState(after.pid) == "S")
            try await ContainerRestartFault.heal(undo, in: lab.context)
            #expect(try await ContainerRestartFault.leftover(of: undo, in: lab.context) == nil)
            #expect(try await lab.engine.inspect(container.id).pid == after.pid)
            try await lab.engine.kill(container.id, signal: .kill)
            try await settled(container, lab)
            try await healed(ContainerRestartFault.self, undo, lab)
        }
    }

    @Test func removeKeepsAnonymousVolumesAndHealBringsTheContainerBack() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container(labels: ["app": "web"], volume: "/data")
            let write = Execution(["sh", "-c", "echo kept > /data/file"])
            let deadline = lab.context.time.now + .seconds(20)
            #expect(try await lab.engine.execute(write, in: container.id, until: deadline).exitCode == 0)
            let fault = try make(ContainerRemoveFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try confirmed(try await fault.inject(undo, in: lab.context))
            #expect(kernelState(container.pid) == nil)
            await #expect(throws: FaultError.self) { try await lab.engine.inspect(container.id) }
            try await healed(ContainerRemoveFault.self, undo, lab)
            let back = try await lab.engine.inspect(container.name)
            #expect(back.id != container.id && back.labels["app"] == "web")
            let read = Execution(["cat", "/data/file"])
            let result = try await lab.engine.execute(read, in: container.name, until: deadline)
            #expect(result.output.standardOutput == Array("kept\n".utf8))
            await #expect(throws: FaultError.self) { try await lab.engine.inspect(undo.twinName) }
        }
    }

    @Test func removeHealsFromEveryPointAtWhichItCanBeInterrupted() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerRemoveFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            // The twin exists, the original was not removed yet.
            let details = try await lab.engine.inspect(container.id)
            let twin = ContainerTwin(of: details, run: "test", image: nil)
            _ = try await lab.engine.create(undo.twinName, from: twin.body)
            #expect(try await ContainerRemoveFault.leftover(of: undo, in: lab.context) != nil)
            try await ContainerRemoveFault.heal(undo, in: lab.context)
            #expect(try await lab.engine.inspect(container.id).pid == container.pid)
            #expect(try await ContainerRemoveFault.leftover(of: undo, in: lab.context) == nil)
            // The twin has its name back and was not started yet.
            _ = try await fault.inject(undo, in: lab.context)
            try await lab.engine.rename(undo.twinName, to: container.name)
            try await healed(ContainerRemoveFault.self, undo, lab)
        }
    }

    /// The engine carries a removal out although its sender is dead. A twin that is thrown away meanwhile, because the
    /// original is still there, would leave nothing to bring back.
    @Test(arguments: [0, 2, 5, 10, 20, 40, 80] as [Int64])
    func removeHealsWhileTheRemovalIsOnItsWay(milliseconds: Int64) async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerRemoveFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            let twin = ContainerTwin(of: try await lab.engine.inspect(container.id), run: "test", image: nil)
            _ = try await lab.engine.create(undo.twinName, from: twin.body)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await lab.engine.remove(container.id) }
                try await lab.context.time.sleep(for: .milliseconds(milliseconds))
                try await ContainerRemoveFault.heal(undo, in: lab.context)
                try await group.waitForAll()
            }
            #expect(try await lab.engine.inspect(container.name).state == .running)
            #expect(try await ContainerRemoveFault.leftover(of: undo, in: lab.context) == nil)
        }
    }

    @Test func removeLeavesAReplacementOfSomebodyElseAlone() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerRemoveFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try await fault.inject(undo, in: lab.context)
            let replacement = try await lab.container(name: container.name)
            try await ContainerRemoveFault.heal(undo, in: lab.context)
            #expect(try await lab.engine.inspect(container.name).id == replacement.id)
            #expect(try await ContainerRemoveFault.leftover(of: undo, in: lab.context) == nil)
            await #expect(throws: FaultError.self) { try await lab.engine.inspect(undo.twinName) }
        }
    }

    // MARK: What every fault must be able to do

    static let all: [any Fault.Type] = DockerKinds.registry.faults

    @Test(arguments: all.indices)
    func healWithoutInjectChangesNothing(index: Int) async throws {
        func check<Kind: Fault>(_ kind: Kind.Type) async throws {
            try await LabFixture.with { lab in
                let container = try await lab.container()
                let undo = try await make(kind).prepare(container.target, in: lab.context)
                try await Kind.heal(undo, in: lab.context)
                #expect(try await Kind.leftover(of: undo, in: lab.context) == nil)
                let after = try await lab.engine.inspect(container.id)
                #expect(after.startedAt == container.startedAt && after.state == .running)
            }
        }
        try await check(Self.all[index])
    }

    @Test(arguments: all.indices)
    func aContainerThatIsGoneIsHealed(index: Int) async throws {
        func check<Kind: Fault>(_ kind: Kind.Type) async throws {
            try await LabFixture.with { lab in
                let container = try await lab.container()
                let fault = try make(kind)
                let undo = try await fault.prepare(container.target, in: lab.context)
                _ = try await fault.inject(undo, in: lab.context)
                for name in [container.name, ContainerRemoveFault.twinPrefix + container.id.prefix(12)] {
                    do throws(FaultError) {
                        try await lab.engine.remove(name)
                    } catch {
                        #expect(error.code == .notFound)
                    }
                }
                try await Kind.heal(undo, in: lab.context)
                #expect(try await Kind.leftover(of: undo, in: lab.context) == nil)
            }
        }
        try await check(Self.all[index])
    }

    @Test(arguments: all.indices)
    func withoutSightOfTheProcessTheEngineTellsTheEffect(index: Int) async throws {
        func check<Kind: Fault>(_ kind: Kind.Type) async throws {
            try await LabFixture.with(seesProcesses: false) { lab in
                let container = try await lab.container()
                let fault = try make(kind)
                let undo = try await fault.prepare(container.target, in: lab.context)
                _ = try confirmed(try await fault.inject(undo, in: lab.context))
                try await Kind.heal(undo, in: lab.context)
                #expect(try await Kind.leftover(of: undo, in: lab.context) == nil)
                #expect(try await lab.engine.inspect(container.name).state == .running)
            }
        }
        try await check(Self.all[index])
    }

    @Test(arguments: all.indices)
    func whatDoesNotRunIsRefusedWithTheCommandToType(index: Int) async throws {
        func check<Kind: Fault>(_ kind: Kind.Type) async throws {
            try await LabFixture.with { lab in
                let container = try await lab.container()
                let fault = try make(kind)
                func refusal() async -> FaultError? {
                    do throws(FaultError) {
                        _ = try await fault.prepare(container.target, in: lab.context)
                        return nil
                    } catch {
                        return error
                    }
                }
                try await lab.engine.pause(container.id)
                let paused = await refusal()
                #expect(paused?.code == .foreignState)
                #expect(paused?.advice == "docker unpause \(container.name)")
                try await lab.engine.unpause(container.id)
                try await lab.engine.stop(container.id, timeout: .seconds(0))
                let stopped = await refusal()
                #expect(stopped?.code == .notApplicable)
                #expect(stopped?.advice == "docker start \(container.name)")
                try await lab.engine.remove(container.id)
                #expect(await refusal()?.code == .notFound)
            }
        }
        try await check(Self.all[index])
    }

    @Test func aContainerThatTheEngineWouldRemoveIsRefused() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container(isRemovedOnExit: true)
            for kind in [ContainerKillFault.self, ContainerStopFault.self, ContainerRemoveFault.self]
                as [any Fault.Type]
            {
                func prepare<Kind: Fault>(_ kind: Kind.Type) async throws {
                    _ = try await make(kind).prepare(container.target, in: lab.context)
                }
                let error = await #expect(throws: FaultError.self) { try await prepare(kind) }
                #expect(error?.code == .notApplicable && error?.message.contains("--rm") == true)
            }
        }
    }

    @Test func aContainerThatSomebodyStartedAlreadyIsLeftAlone() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerKillFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            _ = try await fault.inject(undo, in: lab.context)
            try await settled(container, lab)
            try await lab.engine.start(container.id)
            let started = try await lab.engine.inspect(container.id)
            try await ContainerKillFault.heal(undo, in: lab.context)
            #expect(try await lab.engine.inspect(container.id).startedAt == started.startedAt)
            // A later pause of somebody else is none of ours.
            try await lab.engine.pause(container.id)
            try await ContainerKillFault.heal(undo, in: lab.context)
            let other = ContainerPauseFault.Undo(container: undo.container)
            try await ContainerPauseFault.heal(other, in: lab.context)
            #expect(try await lab.engine.inspect(container.id).state == .paused)
            #expect(try await ContainerPauseFault.leftover(of: other, in: lab.context) == nil)
        }
    }

    @Test func aContainerRestartedBetweenLookAndInjectionIsNotTouched() async throws {
        try await LabFixture.with { lab in
            let container = try await lab.container()
            let fault = try make(ContainerKillFault.self)
            let undo = try await fault.prepare(container.target, in: lab.context)
            try await lab.engine.restart(container.id, timeout: .zero)
            let restarted = try await lab.engine.inspect(container.id)
            let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: lab.context) }
            #expect(error?.code == .notApplicable)
            #expect(kernelState(restarted.pid) == "S")
        }
    }
}
