package import Basics

/// Where records go; a simulated world keeps them in memory.
package protocol JournalSink: Sendable {
    /// The record has reached the system when this returns, and the disk if it `isDurable`.
    func append(_ record: JournalRecord) async throws(JournalError)

    /// Takes the turn to heal without waiting; false while another process has it.
    ///
    /// The controller and its medic both heal, and a controller that wakes from a long stop must not do so beside the
    /// medic: whoever heals has the turn. It ends with its holder's death.
    func takeTurn() async throws(JournalError) -> Bool
    func endTurn() async
}

/// One run's journal as somebody other than its writer sees it: the medic, `squall heal`.
package protocol JournalStore: Sendable {
    func read() async throws(JournalError) -> JournalContents
    /// Continues the journal of a dead run: takes its lock. Throws `.locked` while the owner lives.
    func takeOver() async throws(JournalError) -> any JournalSink
    /// Appends beside an owner that lives and hangs; for `relieved` only, which leaves every decision to replay.
    func openBeside() async throws(JournalError) -> any JournalSink
}

/// The journal in a file.
package struct FileJournal: JournalStore {
    private let path: String
    private let loop: EventLoop

    /// - Parameter loop: whose thread waits for the disk.
    package init(path: String, loop: EventLoop) {
        self.path = path
        self.loop = loop
    }

    package func read() async throws(JournalError) -> JournalContents { try JournalReader.read(path) }

    package func takeOver() async throws(JournalError) -> any JournalSink {
        try await JournalWriter(continuing: path, loop: loop)
    }

    package func openBeside() async throws(JournalError) -> any JournalSink {
        try await JournalWriter(beside: path, loop: loop)
    }
}
