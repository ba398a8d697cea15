internal import Basics
internal import Contracts
internal import Controller
internal import Synchronization

/// Does to the processes of a stage what its plan says.
struct WorldTrouble: Sendable {
    private let stage: WorldStage
    private let controller: SimulatedProcess
    private let driver: RunDriver
    private var draw: Draw

    init(_ stage: WorldStage, controller: SimulatedProcess, driver: RunDriver) {
        self.stage = stage
        self.controller = controller
        self.driver = driver
        draw = stage.plan.draw
    }

    mutating func apply() {
        switch stage.plan.trouble {
        case .none: break
        case .controllerKilled:
            strike()
            if draw.chance(25) { healBesideMedic() }
        case .medicKilled: if draw.chance(50) { strike() }
        case .bothKilled:
            strike()
            let effects = draw.number(1..<25)
            controller.whenGone { [stage] in
                for medic in stage.medicProcesses { medic.plan(.killBefore(effect: medic.effects + effects)) }
            }
        case .controllerFrozen: freeze()
        case .reboot: reboot()
        case .diskFull:
            let from = WorldPlan.start + draw.span(.zero, .seconds(300))
            let length = draw.span(.seconds(1), .minutes(6))
            stage.disk.state.withLock { $0.full = InstantRange(from, from + length) }
        case .signals: signal()
        }
        removeContainer()
    }

    /// A person who is quick: `squall heal` beside the medic that is at work.
    private mutating func healBesideMedic() {
        let delay = draw.span(.zero, .milliseconds(500))
        controller.whenGone { [stage] in
            guard !stage.disk.records.isEmpty else { return }
            stage.world.schedule(at: stage.world.now + delay) { _ = stage.startHeal(0) }
        }
    }

    /// Kills the controller at an instant, at an effect, or before a job.
    private mutating func strike() {
        switch draw.number(0..<4) {
        case 0:
            let controller = controller
            stage.world.schedule(at: drawInstant()) { controller.kill() }
        case 1: controller.plan(.killBefore(effect: drawEffect()))
        case 2: controller.plan(.killAfter(effect: drawEffect()))
        default: controller.killBeforeJob(draw.number(1..<1_500))
        }
    }

    private mutating func drawInstant() -> Instant { WorldPlan.start + draw.span(.zero, .seconds(300)) }

    private mutating func drawEffect() -> Int { draw.number(1..<(draw.chance(70) ? 60 : 200)) }

    private mutating func freeze() {
        let length = draw.chance(50) ? draw.span(.seconds(1), .seconds(30)) : draw.span(.seconds(30), .minutes(8))
        if draw.chance(50) {
            controller.plan(.freezeBefore(effect: drawEffect(), for: length))
        } else {
            let controller = controller
            let from = drawInstant()
            stage.world.schedule(at: from) { controller.freeze() }
            stage.world.schedule(at: from + length) { controller.thaw() }
        }
        if draw.chance(20) { strike() }
    }

    /// Power fails: at an instant, or when the controller comes to an effect.
    private mutating func reboot() {
        let stage = stage
        if draw.chance(50) {
            stage.world.schedule(at: drawInstant()) { stage.losePower() }
        } else {
            controller.plan(draw.chance(50) ? .killBefore(effect: drawEffect()) : .killAfter(effect: drawEffect()))
            controller.whenGone { stage.losePower() }
        }
    }

    private mutating func signal() {
        let driver = driver
        let first = drawInstant()
        stage.world.schedule(at: first) { driver.send(.signal(2)) }
        if draw.chance(40) {
            stage.world.schedule(at: first + draw.span(.zero, .seconds(20))) { driver.send(.signal(2)) }
        }
    }

    private func removeContainer() {
        guard let removal = stage.plan.removal else { return }
        let system = stage.system
        stage.world.schedule(at: WorldPlan.start + removal.at) {
            let waits = system.at { state -> [WaitToken] in
                state.index(of: removal.container).map { state.remove($0) } ?? []
            }
            system.wake(waits)
        }
    }
}

extension WorldStage {
    /// Every process is gone, what was not synced is lost, and the machine comes up again.
    func losePower() {
        let controller = findings.withLock { $0.controllerLeftovers != nil }
        if controller { return }
        world.killAll()
        disk.losePower()
        system.at { $0.reboot() }
    }
}

extension WorldPlan {
    /// When the n-th medic dies.
    func blows(onMedic number: Int) -> [SimulatedProcess.Blow] {
        guard trouble == .medicKilled else { return [] }
        var draw = Draw(seed: seed &+ UInt64(number) &* 77)
        guard number == 1 || draw.chance(50) else { return [] }
        let effect = draw.number(1..<30)
        return [draw.chance(50) ? .killBefore(effect: effect) : .killAfter(effect: effect)]
    }
}
