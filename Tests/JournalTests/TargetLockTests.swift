import Basics
import Contracts
import Experiment
import Glibc
import Synchronization
import Testing

@testable import Journal

private func withLockFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/squall-locks-XXXXXX".utf8CString)
    let folder = String(cString: try #require(mkdtemp(&template)))
    defer {
        for name in (try? entries(of: folder)) ?? [] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
    return try await body(folder)
}

private func entries(of folder: String) throws -> [String] {
    let directory = try #require(opendir(folder))
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names
}

private func locks(_ folder: String, _ run: String, journal: String? = nil) -> TargetLockFiles {
    TargetLockFiles(folder: folder, run: run, journal: journal ?? "\(folder)/none-of-\(run)", onLocked: { _ in })
}

@Suite struct TargetLockTests {
    @Test func twoRunsNeverShareATargetAndTheRefusalNamesTheHolder() async throws {
        try await withLockFolder { folder in
            let first = locks(folder, "first")
            let second = locks(folder, "second")
            try first.acquire(["container:1", "postgres:pg-1"], of: "pg-1")
            try first.acquire(["container:1"], of: "pg-1")
            let error = #expect(throws: FaultError.self) { try second.acquire(["postgres:pg-1"], of: "pg-1") }
            #expect(error?.code == .inUse)
            #expect(error?.message.contains("run first") == true)
            #expect(error?.message.contains("\(getpid())") == true)
            try second.acquire(["container:2"], of: "web")
            first.release()
            try second.acquire(["postgres:pg-1"], of: "pg-1")
            second.release()
        }
    }

    @Test func aRefusalGivesBackWhatItHadTakenOnTheWay() async throws {
        try await withLockFolder { folder in
            let first = locks(folder, "first")
            try first.acquire(["b"], of: "b")
            #expect(throws: FaultError.self) { try locks(folder, "second").acquire(["a", "b"], of: "b") }
            try locks(folder, "third").acquire(["a"], of: "a")
            first.release()
        }
    }

    /// The controller's death: its own descriptor is closed, the copy that the medic was handed holds the lock on.
    @Test func aLockThatWasHandedOnOutlivesItsTaker() async throws {
        try await withLockFolder { folder in
            let copies = Mutex([CInt]())
            let first = TargetLockFiles(folder: folder, run: "first", journal: "\(folder)/none") { descriptor in
                copies.withLock { $0.append(fcntl(descriptor, F_DUPFD_CLOEXEC, 3)) }
            }
            try first.acquire(["a"], of: "a")
            for descriptor in first.descriptors { close(descriptor) }
            let second = locks(folder, "second")
            #expect(throws: FaultError.self) { try second.acquire(["a"], of: "a") }
            for copy in copies.withLock({ $0 }) { close(copy) }
            try second.acquire(["a"], of: "a")
        }
    }

    /// Controller and medic both dead: the lock is free, and the fault is still there.
    @Test func aTargetWithAnUnhealedJournalIsRefusedWithTheCommandThatHealsIt() async throws {
        try await withLockFolder { folder in
            let loop = try EventLoop(name: "journal")
            defer { loop.stop() }
            let path = "\(folder)/journal"
            let header = JournalHeader(
                run: "first", title: "t", runbook: nil, host: "h", machine: nil, bootID: "b", pid: 1, processStart: 2,
                secrets: [], openedAt: WallInstant(nanoseconds: 0))
            let journal = try await JournalWriter(creating: path, header: header, loop: loop)
            let id = MutationID("1")
            try await journal.append(
                .intent(
                    JournalIntent(
                        id: id, step: "s", kind: "k", target: "a", targetName: "a", undo: .object([:]),
                        timeToLive: nil, at: Instant(nanoseconds: 1))))
            let first = locks(folder, "first", journal: path)
            try first.acquire(["a"], of: "web")
            for descriptor in first.descriptors { close(descriptor) }
            let second = locks(folder, "second")
            let error = #expect(throws: FaultError.self) { try second.acquire(["a"], of: "web") }
            #expect(error?.code == .inUse)
            #expect(error?.advice == "squall heal --journal \(path)")
            try await journal.append(.healed(id, at: Instant(nanoseconds: 2)))
            try second.acquire(["a"], of: "web")
            second.release()
        }
    }

    @Test func aNameIsAFileNameWhateverItIsMadeOf() {
        #expect(TargetLockFiles.fileName(of: "container:abc") == "lock-container%3aabc")
        #expect(TargetLockFiles.fileName(of: "../../etc/passwd") == "lock-..%2f..%2fetc%2fpasswd")
        let long = TargetLockFiles.fileName(of: String(repeating: "x", count: 999))
        #expect(long.utf8.count < 255)
        #expect(long != TargetLockFiles.fileName(of: String(repeating: "x", count: 998)))
    }
}
