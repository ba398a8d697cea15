internal import Basics
internal import Contracts
internal import Controller
internal import Glibc
internal import Journal

/// All that outlives a run's controller: its journal, the entry in the machine's index, the locks, the medic.
struct RunWatch {
    let journal: WatchedJournal
    let locks: TargetLockFiles
    private let medic: MedicProcess
    private let folder: RunFolder

    /// Creates the journal and starts the medic, which becomes ready while the run goes through its preflight.
    ///
    /// - Parameters:
    ///   - note: told of a medic that died and was started again.
    ///   - onFailure: told why the run must end: there is no medic any more, or it had to act.
    init(
        _ folder: RunFolder, header: JournalHeader, loop: EventLoop, note: @escaping @Sendable (String) -> Void,
        onFailure: @escaping @Sendable (String) -> Void
    ) async throws {
        self.folder = folder
        let writer = try await JournalWriter(creating: folder.journal, header: header, loop: loop)
        try StateFolder.journals.register(run: folder.run, journal: folder.journal)
        let path = try absolute(folder.journal)
        let medic = MedicProcess(
            journal: path, loop: loop, note: note, onLoss: { onFailure("\($0)") },
            onRelief: { onFailure(Self.hang) })
        self.medic = medic
        medic.start()
        locks = TargetLockFiles(
            folder: try TargetLockFiles.sharedFolder(), run: folder.run, journal: path,
            onLocked: { medic.share(lock: $0) })
        journal = WatchedJournal(writer, medic: medic)
    }

    /// Why the run is not to be trusted although its controller lives; nil: the medic had nothing to do.
    ///
    /// - Parameter isClean: nothing is left over, so that the journal has to be closed.
    func failure(isClean: Bool) async -> String? {
        if await medic.hasRelieved() { return Self.hang }
        guard isClean, !isOver else { return nil }
        return "the journal could not be written to its end; before the next run: squall heal --run \(folder.run)"
    }

    private var isOver: Bool {
        guard let contents = try? JournalReader.read(folder.journal) else { return false }
        return contents.isClean && contents.isClosed
    }

    private static let hang = "the controller stood still past the end of a fault; its medic healed in its place"

    /// Ends the watch in order. What could not be healed stays registered and locked against the next run.
    func end() async {
        if isOver {
            locks.release()
            do throws(JournalError) {
                try StateFolder.journals.remove(run: folder.run)
            } catch {
                Output.error("warning: \(error)")
            }
        }
        await medic.dismiss()
    }
}

private func absolute(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError.last("realpath", subject: path) }
    defer { free(resolved) }
    return String(cString: resolved)
}
