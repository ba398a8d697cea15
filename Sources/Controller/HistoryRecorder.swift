package import Basics
package import Contracts
internal import Glibc
internal import Synchronization

/// Takes every observation of a run: keeps the history and the live window, appends to `events.ndjson`, tells observers.
///
/// Callers come from event loops and the cooperative pool and are never made to wait for a disk: lines are handed to a
/// thread of its own, which writes at once, so that a killed controller loses at most the line in its hand.
package final class HistoryRecorder: Sendable {
    private struct State {
        var history = History()
        var window: LiveWindow
        var encoder = EventLineEncoder()
        var pending: [UInt8] = []
        var isDraining = false
        var failure: SystemError?
    }

    private let state: Mutex<State>
    private let writer: EventFileWriter?
    private let observer: @Sendable (HistoryEvent) -> Void
    private let onFailure: @Sendable (SystemError) -> Void

    /// - Parameters:
    ///   - file: the file that is created (an existing one is an error) and the thread that writes it; nil: memory only.
    ///   - retention: how far back live conditions look.
    ///   - onFailure: told once when the file can no longer be written (a full disk).
    package init(
        file: (path: String, loop: EventLoop)?, retention: Span,
        observer: @escaping @Sendable (HistoryEvent) -> Void, onFailure: @escaping @Sendable (SystemError) -> Void
    ) throws(SystemError) {
        state = Mutex(State(window: LiveWindow(retention: retention)))
        writer = try file.map { (path, loop) throws(SystemError) in try EventFileWriter(path: path, loop: loop) }
        self.observer = observer
        self.onFailure = onFailure
    }

    package func record(_ event: HistoryEvent) {
        let mustDrain = state.withLock { state in
            state.history.append(event)
            state.window.append(event)
            guard writer != nil, state.failure == nil else { return false }
            state.encoder.append(event, to: &state.pending)
            if state.isDraining { return false }
            state.isDraining = true
            return true
        }
        if mustDrain, let writer { writer.loop.schedule(at: Instant(nanoseconds: 0)) { self.drain(writer) } }
        observer(event)
    }

    package var history: History { state.withLock { $0.history } }

    /// Says which metrics a probe measures, before it records anything.
    package func expectMeasurements(_ metrics: [String], of probe: Label) {
        state.withLock { $0.window.expectMeasurements(metrics, of: probe) }
    }

    /// Looks at the live window without copying it.
    package func withWindow<Result>(_ body: (LiveWindow) -> Result) -> Result {
        state.withLock { body($0.window) }
    }

    /// Writes what is pending and syncs the file; throws what writing has met so far.
    package func flush() async throws(SystemError) {
        guard let writer else { return }
        await writer.barrier()
        if let failure = state.withLock({ $0.failure }) { throw failure }
        try await writer.sync()
    }

    /// On the writer's thread.
    private func drain(_ writer: EventFileWriter) {
        while true {
            let bytes = state.withLock { state -> [UInt8] in
                defer { state.pending.removeAll(keepingCapacity: true) }
                if state.pending.isEmpty { state.isDraining = false }
                return state.pending
            }
            if bytes.isEmpty { return }
            do throws(SystemError) {
                try writer.write(bytes)
            } catch {
                state.withLock { state in
                    state.failure = error
                    state.isDraining = false
                }
                onFailure(error)
                return
            }
        }
    }
}

/// The open file and the thread that writes it.
private actor EventFileWriter {
    nonisolated let loop: EventLoop
    nonisolated let path: String
    private nonisolated let file: Descriptor

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    init(path: String, loop: EventLoop) throws(SystemError) {
        self.path = path
        self.loop = loop
        file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND, mode: 0o644)
    }

    /// Called on the loop's thread only.
    nonisolated func write(_ bytes: [UInt8]) throws(SystemError) {
        try file.writeAll(bytes, subject: path)
    }

    /// Returns when everything scheduled on the loop before has run.
    func barrier() {}

    func sync() throws(SystemError) {
        try retryingInterrupts("fdatasync", subject: path) { fdatasync(file.number) }
    }
}
