package import Basics
internal import CLinux
internal import Glibc

/// Appends records, the durable ones on disk before the call returns; its owner holds the journal's lock as long as it lives.
///
/// Runs on an event loop's thread: fdatasync takes milliseconds and must not hold up the cooperative pool.
package actor JournalWriter: JournalSink {
    private let loop: EventLoop
    private let path: String
    private let file: Descriptor
    private var isBroken = false
    /// How often a record had to wait for the disk, for whoever counts what a fault costs.
    package private(set) var syncs = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Creates the journal with mode 0600, takes its lock and writes the header.
    package init(creating path: String, header: JournalHeader, loop: EventLoop) async throws(JournalError) {
        self.loop = loop
        self.path = path
        do throws(SystemError) {
            file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
            try lock(file.number, path)
        } catch {
            throw JournalError(.writeFailed, "the journal cannot be created: \(error)")
        }
        try append(.opened(header))
        try syncFolder(of: path)
    }

    /// Continues the journal of a dead run: takes its lock, which fails while the run still lives.
    package init(continuing path: String, loop: EventLoop) async throws(JournalError) {
        self.loop = loop
        self.path = path
        do throws(SystemError) {
            file = try Descriptor(opening: path, flags: O_WRONLY | O_APPEND)
        } catch {
            throw JournalError(.unreadable, "the journal cannot be opened: \(error)")
        }
        do throws(SystemError) {
            try lock(file.number, path)
        } catch {
            throw JournalError(.locked, "the journal \(path) belongs to a run that is still alive")
        }
        try repairTornTail()
    }

    /// Appends beside the owner that holds the lock. A torn end is the owner's to mend, so that nothing is written after it.
    package init(beside path: String, loop: EventLoop) async throws(JournalError) {
        self.loop = loop
        self.path = path
        do throws(SystemError) {
            file = try Descriptor(opening: path, flags: O_WRONLY | O_APPEND)
        } catch {
            throw JournalError(.unreadable, "the journal cannot be opened: \(error)")
        }
        guard try !JournalReader.read(path).hasTornTail else {
            throw JournalError(.writeFailed, "the journal \(path) has a torn end")
        }
    }

    package func takeTurn() throws(JournalError) -> Bool {
        if squall_take_turn(file.number) == 0 { return true }
        if errno == EAGAIN || errno == EACCES { return false }
        throw JournalError(.unreadable, "the turn to heal cannot be taken: \(SystemError.last("fcntl", subject: path))")
    }

    package func endTurn() { _ = squall_end_turn(file.number) }

    /// Appends, and syncs what must be durable. After one failure nothing more is accepted: a gap in the journal would be worse than none.
    package func append(_ record: JournalRecord) throws(JournalError) {
        guard !isBroken else {
            throw JournalError(.writeFailed, "the journal \(path) failed before; nothing is injected")
        }
        do {
            let bytes = try JournalCoding.encode(record)
            try file.writeAll(bytes, subject: path)
            guard record.isDurable else { return }
            try retryingInterrupts("fdatasync", subject: path) { fdatasync(file.number) }
            syncs += 1
        } catch {
            isBroken = true
            throw JournalError(.writeFailed, "the journal cannot be written: \(error)")
        }
    }

    /// A line without its end would swallow the next record: it is closed off, and reads as the torn line it is.
    private func repairTornTail() throws(JournalError) {
        let bytes = try JournalReader.bytes(of: path)
        let (records, hasTornTail) = try JournalCoding.decode(bytes)
        guard hasTornTail else { return }
        do {
            let length = try records.reduce(0) { try $0 + JournalCoding.encode($1).count }
            try retryingInterrupts("truncate", subject: path) { truncate(path, length) }
        } catch {
            throw JournalError(.writeFailed, "the torn end of the journal cannot be cut off: \(error)")
        }
    }
}

private func lock(_ descriptor: CInt, _ path: String) throws(SystemError) {
    try retryingInterrupts("flock", subject: path) { flock(descriptor, LOCK_EX | LOCK_NB) }
}

/// A new file survives a crash only when its folder is on disk too.
private func syncFolder(of path: String) throws(JournalError) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    do throws(SystemError) {
        let descriptor = try Descriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY)
        try retryingInterrupts("fsync", subject: folder) { fsync(descriptor.number) }
    } catch {
        throw JournalError(.writeFailed, "the run's folder cannot be synced: \(error)")
    }
}
