import Basics
import Testing

@testable import Contracts

/// What the transitions of a fault add up to.
@Suite struct FaultRecordTests {
    private func record(_ stages: [(FaultStage, String)]) throws -> FaultRecord {
        let transitions = stages.enumerated().map { index, entry in
            let at = Instant(nanoseconds: Int64(index) * 1_000)
            return FaultTransition(
                id: "1", step: "cut", kind: "fake", target: "t", stage: entry.0, at: at,
                effectiveAt: entry.0 == .active ? InstantRange(at) : nil, detail: entry.1)
        }
        var record = FaultRecord(try #require(transitions.first))
        for transition in transitions.dropFirst() { record.apply(transition) }
        return record
    }

    @Test func anEffectThatWasShownStaysProvenThroughTheHeal() throws {
        let record = try record([(.injecting, ""), (.active, "seen"), (.healing, ""), (.healed, "")])
        #expect(record.isProven)
        #expect(record.stage == .healed)
    }

    @Test func anEffectThatEndedBeforeItsTimeIsNotProven() throws {
        let record = try record([(.active, "seen"), (.unproven, "it ran out"), (.healing, ""), (.healed, "")])
        #expect(!record.isProven)
        #expect(record.failure == "it ran out")
        #expect(record.healedAt != nil)
    }

    @Test func anEffectWithdrawnWhileItIsShownIsNotProven() throws {
        #expect(try !record([(.injecting, ""), (.unproven, "it vanished"), (.active, "seen")]).isProven)
    }
}
