import Basics
import Contracts
import Experiment
import Glibc
import Testing

@testable import Journal

/// A folder of its own per test, removed afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    var template = Array("/tmp/squall-journal-XXXXXX".utf8CString)
    let folder = String(cString: try #require(mkdtemp(&template)))
    defer {
        for name in ["journal"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }
    return try await body(folder)
}

private let header = JournalHeader(
    run: "run-1", title: "t", runbook: nil, host: "host", machine: "machine", bootID: "boot", pid: 1, processStart: 2,
    secrets: [NamedValue(name: "password", value: SecretReference(type: .env, key: "PG"))],
    openedAt: WallInstant(nanoseconds: 0))

private func intent(_ id: String) -> JournalRecord {
    .intent(
        JournalIntent(
            id: MutationID(id), step: "kill", kind: "container.kill", target: "container:abc", targetName: "abc",
            undo: .object(["pid": .integer(7)]), timeToLive: .seconds(30), at: Instant(nanoseconds: 5)))
}

@Suite struct JournalTests {
    @Test func checksumsMatchTheStandardsVector() {
        #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test func whatIsOpenIsWhatHasNoHealedRecord() async throws {
        try await withFolder { folder in
            let loop = try EventLoop(name: "journal")
            defer { loop.stop() }
            let path = "\(folder)/journal"
            let journal = try await JournalWriter(creating: path, header: header, loop: loop)
            for id in ["1", "2", "3"] { try await journal.append(intent(id)) }
            try await journal.append(.active(MutationID("1"), at: Instant(nanoseconds: 6)))
            try await journal.append(.healed(MutationID("2"), at: Instant(nanoseconds: 7)))
            let contents = try JournalReader.read(path)
            #expect(contents.open.map(\.id.text) == ["1", "3"])
            #expect(contents.header == header)
            #expect(!contents.hasTornTail)
            #expect(!contents.isClosed)
            #expect(try JournalReader.isHeldByLiveRun(path))
        }
    }

    @Test func everyCutOfTheLastRecordIsATornTailThatCanBeContinued() async throws {
        let loop = try EventLoop(name: "journal")
        defer { loop.stop() }
        let whole = try [JournalRecord.opened(header), intent("1"), intent("2")].map(JournalCoding.encode)
        let kept = whole[0].count + whole[1].count
        for cut in stride(from: kept + 1, to: kept + whole[2].count, by: 7) {
            try await withFolder { folder in
                let path = "\(folder)/journal"
                try write(Array(whole.joined().prefix(cut)), to: path)
                #expect(try JournalReader.read(path).open.map(\.id.text) == ["1"])
                #expect(try JournalReader.read(path).hasTornTail)
                let journal = try await JournalWriter(continuing: path, loop: loop)
                try await journal.append(.healed(MutationID("1"), at: Instant(nanoseconds: 9)))
                #expect(try JournalReader.read(path).isClean)
                #expect(try !JournalReader.read(path).hasTornTail)
            }
        }
    }

    @Test func aDamagedMiddleIsRefusedWithWhatIsStillReadable() async throws {
        try await withFolder { folder in
            var bytes = try [JournalRecord.opened(header), intent("1"), intent("2")].flatMap(JournalCoding.encode)
            let second = try JournalCoding.encode(.opened(header)).count
            bytes[second + 40] ^= 1
            try write(bytes, to: "\(folder)/journal")
            let error = #expect(throws: JournalError.self) { try JournalReader.read("\(folder)/journal") }
            #expect(error?.code == .damaged)
            #expect(error?.records == [.opened(header), intent("2")])
        }
    }

    @Test func anEditedLastRecordIsDamageAndNoTornTail() async throws {
        try await withFolder { folder in
            let whole = try [JournalRecord.opened(header), intent("1")].flatMap(JournalCoding.encode)
            var edited = whole
            edited[edited.count - 10] ^= 1
            try write(edited, to: "\(folder)/journal")
            let error = #expect(throws: JournalError.self) { try JournalReader.read("\(folder)/journal") }
            #expect(error?.code == .damaged)
            // What a power failure leaves of it: a beginning of zeros.
            var torn = whole
            for index in try JournalCoding.encode(.opened(header)).count..<(whole.count - 20) { torn[index] = 0 }
            try write(torn, to: "\(folder)/journal")
            #expect(try JournalReader.read("\(folder)/journal").hasTornTail)
        }
    }

    @Test func aWholeRecordOfAnUnknownFormIsNoDamageButANewerTool() async throws {
        try await withFolder { folder in
            let payload = Array("{\"moved\":{}}".utf8)
            func hex(_ value: UInt32) -> String {
                String(repeating: "0", count: 8 - String(value, radix: 16).count) + String(value, radix: 16)
            }
            let line = Array("\(hex(UInt32(payload.count))) \(hex(crc32c(payload))) ".utf8) + payload + [10]
            try write(try JournalCoding.encode(.opened(header)) + line, to: "\(folder)/journal")
            let error = #expect(throws: JournalError.self) { try JournalReader.read("\(folder)/journal") }
            #expect(error?.code == .newerVersion)
            #expect(error?.records == [.opened(header)])
        }
    }

    @Test func aNewerFormatIsRefused() async throws {
        try await withFolder { folder in
            var newer = header
            newer.version = 2
            try write(try JournalCoding.encode(.opened(newer)), to: "\(folder)/journal")
            #expect(throws: JournalError.self) { try JournalReader.read("\(folder)/journal") }
        }
    }

    @Test func aLiveRunsJournalCannotBeContinuedByAnother() async throws {
        try await withFolder { folder in
            let loop = try EventLoop(name: "journal")
            defer { loop.stop() }
            let journal = try await JournalWriter(creating: "\(folder)/journal", header: header, loop: loop)
            let error = await #expect(throws: JournalError.self) {
                try await JournalWriter(continuing: "\(folder)/journal", loop: loop)
            }
            #expect(error?.code == .locked)
            try await journal.append(.closed(at: Instant(nanoseconds: 1)))
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.writeAll(bytes)
    }

    /// One wait for the disk before a fault and one after: the records between them may be lost to a power failure.
    @Test func aFaultCostsOneSyncBeforeAndOneAfter() async throws {
        try await withFolder { folder in
            let loop = try EventLoop(name: "journal")
            defer { loop.stop() }
            let journal = try await JournalWriter(creating: "\(folder)/journal", header: header, loop: loop)
            let id = MutationID("1")
            var waits: [Int] = []
            var before = await journal.syncs
            for record in [
                intent("1"), .active(id, at: Instant(nanoseconds: 6)), .healing(id, at: Instant(nanoseconds: 7)),
                .healed(id, at: Instant(nanoseconds: 8)),
            ] {
                try await journal.append(record)
                let now = await journal.syncs
                waits.append(now - before)
                before = now
            }
            #expect(waits == [1, 0, 0, 1])
        }
    }

    @Test func onlyOneProcessHasTheTurnToHealAndItEndsWithIt() async throws {
        try await withFolder { folder in
            let loop = try EventLoop(name: "journal")
            defer { loop.stop() }
            let path = "\(folder)/journal"
            let controller = try await JournalWriter(creating: path, header: header, loop: loop)
            var medic: JournalWriter? = try await JournalWriter(beside: path, loop: loop)
            var turns = [try await medic?.takeTurn(), try await controller.takeTurn()]
            await medic?.endTurn()
            turns += [try await controller.takeTurn(), try await medic?.takeTurn()]
            await controller.endTurn()
            turns.append(try await medic?.takeTurn())
            // What a death does: the last descriptor of the open file is closed.
            medic = nil
            turns.append(try await controller.takeTurn())
            #expect(turns == [true, false, true, false, true, true])
        }
    }

    @Test func replayKnowsHowFarEachChangeGot() throws {
        let id = MutationID("1")
        func contents(_ records: [JournalRecord]) -> JournalContents {
            JournalContents(path: "", header: header, records: [intent("1")] + records, hasTornTail: false)
        }
        let at = Instant(nanoseconds: 9)
        #expect(contents([]).changes.map(\.progress) == [.intended])
        #expect(contents([]).unconfirmed == [id])
        #expect(contents([.active(id, at: at)]).changes.map(\.progress) == [.active(since: at)])
        #expect(contents([.active(id, at: at)]).unconfirmed.isEmpty)
        #expect(contents([.healing(id, at: at)]).changes.map(\.progress) == [.healing(since: at)])
        #expect(contents([.healing(id, at: at)]).unconfirmed == [id])
        #expect(contents([.active(id, at: at), .healing(id, at: at)]).unconfirmed.isEmpty)
        // Healed in a hung controller's place is not healed for good.
        #expect(!contents([.active(id, at: at), .relieved(id, at: at)]).isClean)
        #expect(contents([.active(id, at: at), .relieved(id, at: at), .healed(id, at: at)]).isClean)
    }

    @Test func aJournalWithoutAWholeHeaderProvesThatNothingWasInjected() async throws {
        try await withFolder { folder in
            let whole = try JournalCoding.encode(.opened(header))
            for length in [0, 1, 20, whole.count - 1] {
                let file = try Descriptor(opening: "\(folder)/journal", flags: O_WRONLY | O_CREAT | O_TRUNC)
                try file.writeAll(Array(whole[..<length]))
                let error = #expect(throws: JournalError.self) { try JournalReader.read("\(folder)/journal") }
                #expect(error?.code == .neverOpened)
            }
        }
    }
}
