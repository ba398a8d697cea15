internal import Basics
internal import Contracts
internal import Controller
internal import Glibc
internal import Journal
internal import Report
internal import Synchronization

/// What is left to do for a run whose controller is dead, once its faults are healed: its history and its files.
final class Aftermath: Sendable {
    let folder: RunFolder
    private let writer = Mutex(HistoryAppender())
    private var events: String { folder.events }

    /// - Parameter journal: the path of the run's journal.
    init(journal: String, run: String) {
        let parts = journal.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        folder = RunFolder(root: parts.isEmpty ? "." : parts.joined(separator: "/"), run: run)
    }

    /// Appends one event to the history; one that cannot be written is told, and no reason to stop healing.
    func append(_ event: HistoryEvent) {
        writer.withLock { writer in
            do throws(SystemError) {
                try writer.append(event, to: events)
            } catch {
                Output.error("warning: the heal is not in the run's history: \(error)")
            }
        }
    }

    /// The run's controller is dead: a line that it left unfinished is cut off before the next one is written.
    func controllerEnded() { writer.withLock { $0.mustCutTornLine = true } }

    /// Whether the history tells its own end: then the controller ended in order and left something on purpose.
    var hasEnded: Bool {
        guard let history = try? EventFile.history(events).history else { return false }
        return history.endedAt != nil
    }

    /// A medic that had nothing to say leaves no file.
    func removeEmptyLog() {
        let log = "\(folder.path)/medic.log"
        var status = stat()
        if stat(log, &status) == 0, status.st_size == 0 { unlink(log) }
    }

    /// Judges the run from its history, writes every file anew, and forgets the journal if it is clean.
    func conclude(_ outcome: Takeover.Outcome) throws {
        let history = try EventFile.history(events).history
        // A controller that died before its first line has nothing to be judged.
        if let run = history.run {
            try RunFiles.write(
                Judgement.verdict(of: history, try Judgement.criteria(of: run)), history, to: folder.path)
        }
        // Last: whoever dies before this is followed by somebody who finds the run and writes its files.
        guard outcome.leftovers.isEmpty, outcome.journalFailure == nil else { return }
        do throws(JournalError) {
            try StateFolder.journals.remove(run: folder.run)
        } catch {
            Output.error("warning: \(error)")
        }
    }
}

/// Appends whole lines to a history that another process wrote.
private struct HistoryAppender {
    private var encoder = EventLineEncoder()
    /// Set when the other writer is dead; a live one may be in the middle of its line.
    var mustCutTornLine = false

    mutating func append(_ event: HistoryEvent, to path: String) throws(SystemError) {
        var line: [UInt8] = []
        encoder.append(event, to: &line)
        let file = try Descriptor(opening: path, flags: O_RDWR | O_APPEND | O_CREAT, mode: 0o644)
        if mustCutTornLine { try cutTornLine(of: file.number, path) }
        mustCutTornLine = false
        try file.writeAll(line, subject: path)
    }

    /// The line that the controller had in its hand when it died would swallow ours, and is no event by itself.
    private func cutTornLine(of file: CInt, _ path: String) throws(SystemError) {
        var end = try retryingInterrupts("lseek", subject: path) { lseek(file, 0, SEEK_END) }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while end > 0 {
            let start = max(0, end - chunk.count)
            let count = try retryingInterrupts("pread", subject: path) { pread(file, &chunk, end - start, start) }
            if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                let length = start + last + 1
                if length == end { return }
                try retryingInterrupts("ftruncate", subject: path) { ftruncate(file, length) }
                return
            }
            end = start
        }
    }
}
