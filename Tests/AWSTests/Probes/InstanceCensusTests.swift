import Testing

@testable import AWS

/// Which EC2 instances a probe is about, from look to look.
@Suite struct InstanceCensusTests {
    private func look(_ census: inout InstanceCensus, _ found: [(String, String)]) throws -> String {
        let (there, gone) = census.take(try found.map { try ProbeFixture.compute($0, $1) })
        return there.map(\.id).joined(separator: " ") + " | " + gone.joined(separator: " ")
    }

    @Test func oneThatWasOverBeforeItWasSeenIsNotCounted() throws {
        var census = InstanceCensus(named: [])
        #expect(try look(&census, [("i-2", "running"), ("i-1", "terminated")]) == "i-2 | ")
        #expect(try look(&census, [("i-2", "shutting-down"), ("i-3", "pending")]) == "i-2 i-3 | ")
        #expect(try look(&census, [("i-3", "running")]) == "i-3 | i-2")
        #expect(try look(&census, [("i-2", "terminated")]) == "i-2 | i-3")
    }

    @Test func oneThatIsNamedIsMissedFromTheFirstLookOn() throws {
        var census = InstanceCensus(named: ["i-1", "i-2"])
        #expect(try look(&census, [("i-1", "terminated")]) == "i-1 | i-2")
    }
}
