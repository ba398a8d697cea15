internal import Basics
internal import Contracts
internal import Controller
internal import Synchronization

/// The controller's end of its medic in a world: starts the process, starts it again when it dies, carries the messages.
///
/// What the sockets and pidfds of the command line do, with delays of their own.
final class SimulatedMedicLink: MedicLink {
    private enum Life {
        case starting
        case watching
        case lost
        case dismissed
    }

    private struct State {
        var life = Life.starting
        var medic: (process: SimulatedProcess, receive: @Sendable (Medic.Message?) -> Void)?
        var starts = 0
        var waiters: [WaitToken] = []
        var generator: SeededGenerator
    }

    private static let mostStarts = 3

    private let controller: SimulatedProcess
    /// Makes a process of the given number, which calls `attach` when it watches.
    private let launch: @Sendable (Int, SimulatedMedicLink) -> Void
    /// A defect: the end of the channel is not noticed.
    private let isDeaf: Bool
    private let onLoss: @Sendable () -> Void
    private let state: Mutex<State>

    init(
        controller: SimulatedProcess, seed: UInt64, isDeaf: Bool,
        launch: @escaping @Sendable (Int, SimulatedMedicLink) -> Void,
        onLoss: @escaping @Sendable () -> Void
    ) {
        self.controller = controller
        self.launch = launch
        self.onLoss = onLoss
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
        self.isDeaf = isDeaf
        controller.whenGone { [self] in
            later { self.deliver(nil) }
        }
    }

    // MARK: The controller's side

    func start() {
        let number = state.withLock { state in
            state.life = .starting
            state.starts += 1
            return state.starts
        }
        launch(number, self)
    }

    func ready() async throws(FaultError) {
        while true {
            let (life, deadline) = state.withLock { ($0.life, controller.now + .seconds(30)) }
            switch life {
            case .watching, .dismissed: return
            case .lost: throw FaultError(.unexpected, "the medic cannot be started")
            case .starting: break
            }
            let wake = await controller.wait(until: deadline) { token in state.withLock { $0.waiters.append(token) } }
            if case .cancelled = wake { throw FaultError(.cancelled, "the process is dead") }
        }
    }

    func journalChanged() {
        guard !controller.isDead else { return }
        later { self.deliver(.journalChanged) }
    }

    func dismiss() {
        guard !controller.isDead else { return }
        state.withLock { $0.life = .dismissed }
        later { self.deliver(.dismissed) }
    }

    // MARK: The medic's side

    /// The medic watches from now on.
    func attach(_ medic: Medic, in process: SimulatedProcess) {
        process.whenGone { [self] in
            later { self.medicEnded(process) }
        }
        let (waiters, isDismissed) = state.withLock { state in
            state.medic = (process, { medic.receive($0) })
            if state.life == .starting { state.life = .watching }
            defer { state.waiters = [] }
            return (state.waiters, state.life == .dismissed)
        }
        for waiter in waiters { controller.scheduler.wake(waiter, .signalled) }
        // What the channel held before the medic looked: an order to go, or its end.
        if isDismissed {
            medic.receive(.dismissed)
        } else if controller.isDead || controller.isFinished {
            medic.receive(nil)
        }
    }

    private func deliver(_ message: Medic.Message?) {
        if message == nil, isDeaf { return }
        state.withLock { $0.medic?.receive }?(message)
    }

    /// A controller that stands still learns of it when it goes on.
    private func medicEnded(_ process: SimulatedProcess) {
        if controller.isFrozen {
            controller.scheduler.schedule(at: controller.now + .milliseconds(100)) { self.medicEnded(process) }
            return
        }
        let starts = state.withLock { state -> Int? in
            guard let medic = state.medic, medic.process === process else { return nil }
            state.medic = nil
            return state.life == .dismissed ? nil : state.starts
        }
        guard let starts, !controller.isDead, !controller.isFinished else { return }
        if starts < Self.mostStarts { return start() }
        let waiters = state.withLock { state in
            state.life = .lost
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { controller.scheduler.wake(waiter, .signalled) }
        onLoss()
    }

    /// What goes through the kernel takes a moment.
    private func later(_ body: @escaping @Sendable () -> Void) {
        let delay = state.withLock { Span.microseconds(Int64($0.generator.next() % 400)) }
        controller.scheduler.schedule(at: controller.now + delay, body)
    }
}
