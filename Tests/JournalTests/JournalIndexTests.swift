import Basics
import Glibc
import Testing

@testable import Journal

@Suite struct JournalIndexTests {
    /// A state folder and a journal in a folder of runs, removed afterwards.
    private func withIndex(_ body: (JournalIndex, _ journal: String) throws -> Void) async throws {
        try await withFolder { folder in
            let journal = "\(folder)/journal"
            _ = try Descriptor(opening: journal, flags: O_WRONLY | O_CREAT)
            let index = JournalIndex(stateFolder: "\(folder)/deep/state")
            defer {
                for entry in (try? index.entries()) ?? [] { try? index.remove(run: entry.run) }
                for name in ["deep/state/journals", "deep/state", "deep"] { rmdir("\(folder)/\(name)") }
            }
            try body(index, journal)
        }
    }

    @Test func aRegisteredJournalIsFoundUntilItIsRemoved() async throws {
        try await withIndex { index, journal in
            #expect(try index.entries().isEmpty)
            try index.register(run: "run-1", journal: journal)
            try index.register(run: "run-1", journal: journal)
            #expect(try index.entries() == [.init(run: "run-1", journal: journal, isBroken: false)])
            try index.remove(run: "run-1")
            try index.remove(run: "run-1")
            #expect(try index.entries().isEmpty)
        }
    }

    @Test func aJournalThatWasDeletedIsReportedWithThePlaceItWasAt() async throws {
        try await withIndex { index, journal in
            try index.register(run: "run-1", journal: journal)
            unlink(journal)
            #expect(try index.entries() == [.init(run: "run-1", journal: journal, isBroken: true)])
        }
    }

    @Test func aRelativePathIsRegisteredAsTheFileItNamesNow() async throws {
        try await withIndex { index, journal in
            let folder = String(journal.dropLast("/journal".count))
            let relative = "\(folder)/../\(folder.split(separator: "/").last ?? "")/journal"
            try index.register(run: "run-1", journal: relative)
            #expect(try index.entries().map(\.journal) == [journal])
        }
    }

    @Test func aJournalThatDoesNotExistCannotBeRegistered() async throws {
        try await withIndex { index, journal in
            let error = #expect(throws: JournalError.self) { try index.register(run: "r", journal: journal + "-no") }
            #expect(error?.code == .writeFailed)
        }
    }

    @Test func aStateFolderThatCannotBeMadeIsSaidBeforeAnythingElse() async throws {
        let error = #expect(throws: JournalError.self) { try JournalIndex(stateFolder: "/proc/squall").probe() }
        #expect(error?.message.contains("/proc/squall") == true)
        try await withIndex { index, _ in
            try index.probe()
            #expect(try index.entries().isEmpty)
        }
    }
}
