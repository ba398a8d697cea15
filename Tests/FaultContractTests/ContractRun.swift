import Basics
import Contracts
import Controller
import Journal
import Synchronization
import Testing

/// One fault on one fixture as the controller and, after its death, its medic see it: past `prepare`, the journalled
/// text is all there is.
struct ContractRun {
    let fixture: any ContractFixture

    /// Prepares, and takes the undo through the text of a journal and back.
    func prepare() async throws -> JournalIntent {
        try await prepare(fixture.fault)
    }

    private func prepare<Kind: Fault>(_ fault: Kind) async throws -> JournalIntent {
        let undo = try await fault.prepare(fixture.target, in: fixture.context)
        let written = try JSONValue(encoding: undo).text()
        let read = try JSONValue(parsing: written)
        let again = try JSONValue(encoding: try read.decode(as: Kind.Undo.self))
        #expect(again == read, "the undo of \(Kind.kind) does not survive JSON: \(written)")
        return JournalIntent(
            id: MutationID("contract-1"), step: "contract", kind: Kind.kind, target: fixture.target.id,
            targetName: fixture.target.name, undo: read, timeToLive: nil, at: fixture.context.time.now)
    }

    func inject(_ intent: JournalIntent) async throws -> Effect {
        try await inject(fixture.fault, intent)
    }

    private func inject<Kind: Fault>(_ fault: Kind, _ intent: JournalIntent) async throws -> Effect {
        try await fault.inject(try intent.undo.decode(as: Kind.Undo.self), in: fixture.context)
    }

    /// Injects and gives up after `delay`, as a controller that is being killed does; gives what came of it.
    func injectInterrupted(_ intent: JournalIntent, after delay: Span) async -> String {
        let time = fixture.context.time
        return await withTaskGroup(of: String?.self) { group in
            group.addTask {
                do {
                    return "\(try await inject(intent))"
                } catch {
                    return "\(error)"
                }
            }
            group.addTask {
                try? await time.sleep(for: delay)
                return nil
            }
            var outcome = ""
            for await result in group {
                outcome = result ?? outcome
                group.cancelAll()
            }
            return outcome
        }
    }

    /// What the medic does, and `squall heal`. A change that is not known to have been made may still be on its way.
    func heal(_ intent: JournalIntent, isConfirmed: Bool = true) async throws -> Healer.Result {
        let active = isConfirmed ? [JournalRecord.active(intent.id, at: fixture.context.time.now)] : []
        let journal = MemoryJournal([.intent(intent)] + active)
        let healer = Healer(
            registry: Contract.registry, context: fixture.context, patience: .seconds(8), awaitsRecovery: false)
        let takeover = Takeover(store: journal, healer: healer, context: fixture.context)
        let outcome = try await takeover.run(cause: nil)
        return try #require(outcome.results.last)
    }

    func leftover(_ intent: JournalIntent) async -> Leftover? {
        await Healer(registry: Contract.registry, context: fixture.context).leftovers([intent]).first
    }
}

/// A journal that a dead controller has left in memory.
final class MemoryJournal: JournalStore, JournalSink {
    private let records: Mutex<[JournalRecord]>

    init(_ records: [JournalRecord]) {
        self.records = Mutex(records)
    }

    func read() async throws(JournalError) -> JournalContents {
        let header = JournalHeader(
            run: "contract", title: "", runbook: nil, host: "", machine: nil, bootID: "", pid: 0, processStart: 0,
            secrets: [], openedAt: WallInstant(nanoseconds: 0))
        return JournalContents(
            path: "memory", header: header, records: records.withLock { $0 }, hasTornTail: false)
    }

    func takeOver() async throws(JournalError) -> any JournalSink { self }
    func openBeside() async throws(JournalError) -> any JournalSink { self }
    func append(_ record: JournalRecord) async throws(JournalError) { records.withLock { $0.append(record) } }
    func takeTurn() async throws(JournalError) -> Bool { true }
    func endTurn() async {}
}
