internal import Basics
internal import Contracts
internal import Controller
internal import Glibc
internal import Report
internal import Synchronization

/// Shows a run while it lasts: a picture redrawn in place on a terminal, plain lines anywhere else.
final class LiveDisplay: Sendable {
    private struct State {
        var live: LiveState
        var terminal = LiveTerminal()
        var log = PlainLog()
        var messages: [LiveState.Message] = []
    }

    private let state: Mutex<State>
    private let time: any TimeSource
    private let environment = processEnvironment()

    init(_ assembly: RunAssembly, time: any TimeSource) {
        state = Mutex(State(live: LiveState(LivePlan(assembly.experiment))))
        self.time = time
    }

    /// Takes an event; never writes, because its caller may be a probe's event loop.
    func apply(_ event: HistoryEvent) {
        state.withLock { $0.messages += $0.live.apply(event) }
    }

    /// Draws until the task is cancelled, then leaves the output ready for the verdict.
    func run() async {
        while (try? await time.sleep(for: .milliseconds(250))) != nil { draw() }
        draw()
        if capabilities.canRedraw { Output.write(state.withLock { $0.terminal.clear() }, to: STDOUT_FILENO) }
    }

    private var capabilities: TerminalCapabilities { .of(descriptor: STDOUT_FILENO, environment: environment) }

    private func draw() {
        let now = time.now
        let capabilities = capabilities
        let text = state.withLock { state -> String in
            let messages = state.messages
            state.messages.removeAll()
            guard capabilities.canRedraw else {
                let lines =
                    state.log.lines(messages, state.live)
                    + [state.log.heartbeat(state.live, at: now)].compactMap(\.self)
                return lines.map { $0 + "\n" }.joined()
            }
            let lines = LiveView.lines(
                state.live, at: now, width: capabilities.width, height: capabilities.height - 1,
                colour: capabilities.colour)
            return state.terminal.frame(lines)
        }
        if !text.isEmpty { Output.write(text, to: STDOUT_FILENO) }
    }
}
