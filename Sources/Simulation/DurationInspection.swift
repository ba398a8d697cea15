internal import Basics
internal import Contracts
internal import Controller
internal import Docker
internal import Journal

/// A fault that has a duration must not outlive it by much, not even under a controller that hangs or is dead.
enum DurationInspection {
    /// A heal that began and did not go on is waited for before the medic steps in, and then for its turn.
    private static let slack = MedicStateMachine.longestHeal * 2 + .seconds(15)

    static func violations(_ stage: WorldStage, _ system: SystemState) -> [String] {
        let plan = stage.plan
        // Nobody watches while controller and medic are both gone.
        let isWatched = [.none, .controllerKilled, .controllerFrozen, .signals].contains(plan.trouble)
        guard plan.weather.isFair, isWatched else { return [] }
        return stage.disk.records.compactMap { record in
            guard case .intent(let intent) = record, let duration = intent.timeToLive else { return nil }
            return outlived(intent, duration, system)
        }
    }

    /// What a fault does, and what ends it.
    private static let pairs: [String: (Transition.Change, Transition.Change)] = [
        ContainerPauseFault.kind: (.paused, .unpaused), SimulatedRuleFault.kind: (.cut, .uncut),
    ]

    private static func outlived(_ intent: JournalIntent, _ duration: Span, _ system: SystemState) -> String? {
        guard let (change, undone) = pairs[intent.kind] else { return nil }
        let own = system.transitions.filter { $0.container == intent.targetName }
        guard let begin = own.first(where: { $0.at >= intent.at && $0.change == change }) else { return nil }
        let end = own.first { $0.at > begin.at && ($0.change == undone || $0.change == .exited) }
        let lasted = (end?.at ?? system.now) - begin.at
        guard lasted > duration + slack else { return nil }
        return "\(intent.kind) on \(intent.targetName) lasted \(lasted), its duration is \(duration)"
    }
}
