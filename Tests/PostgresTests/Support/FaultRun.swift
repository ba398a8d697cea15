import Basics
import Contracts
import Foundation
import PostgresSupport
import Testing

@testable import Postgres

/// A fault as the controller runs it: the undo goes through JSON before anything is injected.
struct FaultRun<Kind: Fault> {
    let context: SystemContext
    let undo: Kind.Undo
    /// The undo as it would stand in the journal.
    let journal: String

    /// Prepares and injects; the effect must be confirmed.
    init(_ fault: Kind, _ target: Target, in context: SystemContext) async throws {
        self.context = context
        let prepared = try await fault.prepare(target, in: context)
        let document = try JSONValue(encoding: prepared)
        journal = try document.text()
        undo = try document.decode(as: Kind.Undo.self)
        let begun = context.time.now
        let effect = try await fault.inject(undo, in: context)
        guard case .confirmed(let range, let evidence) = effect else {
            Issue.record("the effect of \(Kind.kind) is not confirmed: \(effect)")
            return
        }
        #expect(range.lower >= begun && range.upper <= context.time.now)
        #expect(!evidence.isEmpty)
    }

    func leftover() async throws -> Leftover? { try await Kind.leftover(of: undo, in: context) }

    /// Heals twice: the second time must change nothing and succeed.
    func heal() async throws {
        try await Kind.heal(undo, in: context)
        try await Kind.heal(undo, in: context)
        #expect(try await leftover() == nil)
    }
}

func target(_ name: String, _ server: PostgresServer) -> Target {
    NodeAddress(dsn: server.dsn).target(named: Label(name))
}
