internal import Basics
internal import Contracts
internal import Journal
internal import Synchronization

/// The disk with the one journal of a world: what is written survives a kill, what is synced survives a power failure.
final class SimulatedDisk: Sendable {
    struct State: Sendable {
        var records: [JournalRecord] = []
        /// So many of the records, from the first on, survive a power failure.
        var synced = 0
        var hasTornTail = false
        /// Whose lock is on the journal; a dead owner's is gone.
        var owner: Int?
        /// Who wrote the journal first.
        var controller: Int?
        /// Who has the turn to heal.
        var turn: Int?
        var turnSince = WorldPlan.start
        /// A tool with the defect that it does not wait for the disk.
        var neverSyncs = false
        /// When nothing more can be written.
        var full: InstantRange?
        var longestSync = Span.milliseconds(5)
        var generator: SeededGenerator
        /// Heals that began and have not ended, by change: who and since when.
        var heals: [MutationID: Int] = [:]
        var violations: [String] = []
    }

    let scheduler: Scheduler
    let state: Mutex<State>
    let path = "runs/simulated/journal"
    /// No call fails in this world, so that nothing of the controller's takes longer than it may.
    private let isFair: Bool

    init(seed: UInt64, isFair: Bool, scheduler: Scheduler) {
        self.scheduler = scheduler
        self.isFair = isFair
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
    }

    var records: [JournalRecord] { state.withLock { $0.records } }
    var isClosed: Bool { records.contains { if case .closed = $0 { true } else { false } } }

    /// Changes that no record says are healed.
    var open: [String] {
        records.reduce(into: []) { open, record in
            switch record {
            case .intent(let intent): open.append(intent.id.text)
            case .healed(let id, _): open.removeAll { $0 == id.text }
            case .opened, .active, .healing, .healFailed, .relieved, .closed: break
            }
        }
    }

    /// Whether an open intent with this target's name is on disk, synced.
    func holdsIntent(for targetName: String) -> Bool {
        state.withLock { state in
            var open: Set<MutationID> = []
            for (index, record) in state.records.enumerated() {
                switch record {
                case .intent(let intent) where intent.targetName == targetName && index < state.synced:
                    open.insert(intent.id)
                case .healed(let id, _): open.remove(id)
                case .intent, .opened, .active, .healing, .healFailed, .relieved, .closed: break
                }
            }
            return !open.isEmpty
        }
    }

    /// The power fails: what was not synced is gone, or torn in the middle of a record, as the real coding would see it.
    func losePower() {
        state.withLock { state in
            let unsynced = state.records.count - state.synced
            guard unsynced > 0 else { return }
            let kept = Int(state.generator.next() % UInt64(unsynced + 1))
            let torn = kept < unsynced ? state.records[state.synced + kept] : nil
            state.records.removeLast(unsynced - kept)
            state.synced = state.records.count
            if let torn, let bytes = try? JournalCoding.encode(torn) {
                let length = Int(state.generator.next() % UInt64(bytes.count))
                let tail = (try? JournalCoding.decode(Array(bytes.prefix(length)))) ?? (records: [], hasTornTail: false)
                state.hasTornTail = tail.hasTornTail
                if !tail.records.isEmpty { state.violations.append("half a record was read as a whole one") }
            }
        }
    }

    func isAlive(_ process: Int?) -> Bool {
        guard let process else { return false }
        return scheduler.state.withLock { $0.processes[process].life != .dead && !$0.processes[process].isFinished }
    }
}

/// What a process writes its journal with.
final class SimulatedJournal: JournalSink {
    private let disk: SimulatedDisk
    private let process: SimulatedProcess
    /// After one failure nothing more is accepted, as by the real writer.
    private let isBroken = Mutex(false)

    init(disk: SimulatedDisk, process: SimulatedProcess) {
        self.disk = disk
        self.process = process
    }

    func append(_ record: JournalRecord) async throws(JournalError) {
        if isBroken.withLock({ $0 }) { throw JournalError(.writeFailed, "the journal failed before") }
        guard let write = await process.mayAct() else { throw Self.dead }
        let now = process.now
        let isWritten = disk.state.withLock { state -> Bool in
            if let full = state.full, full.lower <= now, now <= full.upper { return false }
            disk.inspect(record, by: process, &state)
            state.records.append(record)
            return true
        }
        guard isWritten else {
            isBroken.withLock { $0 = true }
            throw JournalError(.writeFailed, "no space left on the simulated device")
        }
        guard process.livesOn(after: write) else { throw Self.dead }
        guard record.isDurable else { return }
        guard let sync = await process.mayAct() else { throw Self.dead }
        let wait = disk.state.withLock { state in
            Span(nanoseconds: Int64(state.generator.next() % UInt64(max(1, state.longestSync.nanoseconds))))
        }
        // A sync is no place at which a task can be cancelled: only the end of the process ends it.
        _ = try? await process.sleep(until: process.now + wait)
        guard !process.isDead else { throw Self.dead }
        disk.state.withLock { state in
            state.synced = state.neverSyncs ? 0 : state.records.count
        }
        guard process.livesOn(after: sync) else { throw Self.dead }
    }

    func takeTurn() async throws(JournalError) -> Bool {
        guard await process.mayAct() != nil else { throw Self.dead }
        return disk.state.withLock { state in
            if let turn = state.turn, turn != process.number, disk.isAlive(turn) { return false }
            state.turn = process.number
            state.turnSince = process.now
            return true
        }
    }

    func endTurn() async {
        guard !process.isDead else { return }
        disk.state.withLock { state in
            if state.turn == process.number { state.turn = nil }
        }
    }

    static let dead = JournalError(.writeFailed, "the process is dead")
}

extension SimulatedDisk {
    /// Two that live must not heal one change at the same time, and the medic must not meddle with a controller that works.
    fileprivate func inspect(_ record: JournalRecord, by process: SimulatedProcess, _ state: inout State) {
        switch record {
        case .healing(let id, _):
            if let other = state.heals[id], other != process.number, isAtWork(other) {
                state.violations.append("\(process.name) heals change \(id) while another process does")
            }
            // Who has taken over has the journal's lock instead.
            if state.turn == nil, process.number == state.controller {
                state.violations.append("\(process.name) heals change \(id) without the turn to")
            }
            if let turn = state.turn, turn != process.number, isAtWork(turn),
                process.now - state.turnSince < .seconds(60)
            {
                state.violations.append("\(process.name) heals change \(id) out of turn")
            }
            state.heals[id] = process.number
        case .healed(let id, _), .healFailed(let id, _, _): state.heals[id] = nil
        case .relieved(let id, _):
            if isFair, state.full == nil, let owner = state.owner, isAtWork(owner), wasNeverFrozen(owner) {
                state.violations.append("\(process.name) relieved change \(id) of a controller that works")
            }
        case .opened, .intent, .active, .closed: break
        }
    }

    private func isAtWork(_ process: Int) -> Bool {
        scheduler.state.withLock { $0.processes[process].life == .alive && !$0.processes[process].isFinished }
    }

    private func wasNeverFrozen(_ process: Int) -> Bool {
        scheduler.state.withLock { $0.processes[process].frozenAt == nil }
    }
}

/// The world's journal as the medic and `squall heal` see it.
struct SimulatedStore: JournalStore {
    let disk: SimulatedDisk
    let process: SimulatedProcess

    func read() async throws(JournalError) -> JournalContents {
        guard await process.mayAct() != nil else { throw SimulatedJournal.dead }
        let (records, isTorn) = disk.state.withLock { ($0.records, $0.hasTornTail) }
        guard case .opened(let header)? = records.first else {
            throw JournalError(.noHeader, "the journal has no header", records: records)
        }
        return JournalContents(path: disk.path, header: header, records: records, hasTornTail: isTorn)
    }

    func takeOver() async throws(JournalError) -> any JournalSink {
        guard await process.mayAct() != nil else { throw SimulatedJournal.dead }
        let isMine = disk.state.withLock { state in
            if let owner = state.owner, owner != process.number, disk.isAlive(owner) { return false }
            state.owner = process.number
            state.hasTornTail = false
            return true
        }
        guard isMine else { throw JournalError(.locked, "the journal belongs to a run that is still alive") }
        return SimulatedJournal(disk: disk, process: process)
    }

    func openBeside() async throws(JournalError) -> any JournalSink {
        guard await process.mayAct() != nil else { throw SimulatedJournal.dead }
        return SimulatedJournal(disk: disk, process: process)
    }
}
