internal import Basics
internal import Contracts
internal import Controller
internal import Synchronization

/// The history on the disk of a world: what the controller had recorded when it died, and what came after.
final class WorldHistory: Sendable {
    private struct State {
        var controller: HistoryRecorder?
        var atDeath: History?
        /// By the medic and `heal`, in order.
        var after: [HistoryEvent] = []
    }

    private let state = Mutex(State())

    /// From now on the history is what this recorder holds, until its process dies.
    func follow(_ recorder: HistoryRecorder, of process: SimulatedProcess) {
        state.withLock { $0.controller = recorder }
        process.whenGone { [self] in
            let history = recorder.history
            state.withLock { $0.atDeath = history }
        }
    }

    func append(_ event: HistoryEvent) { state.withLock { $0.after.append(event) } }

    var events: [HistoryEvent] { state.withLock { $0.after } }

    /// The whole history as a reader of the file finds it.
    var history: History {
        let (recorder, atDeath, after) = state.withLock { ($0.controller, $0.atDeath, $0.after) }
        var history = atDeath ?? recorder?.history ?? History()
        for event in after { history.append(event) }
        return history
    }
}
