import Testing

@testable import Process

@Suite struct ProcessStatusTests {
    private static let rest =
        "2041 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321 1000 100 18446744073709551615"

    @Test(arguments: [
        ("bash", "S", 2_041), ("a b", "R", 2_041), ("tricky) R 1 (x", "T", 2_041), (")", "Z", 2_041), ("", "D", 2_041),
    ])
    func readsTheFieldsBehindTheLastBracket(name: String, state: String, parent: Int) throws {
        let status = try #require(ProcessStatus(parsing: "4242 (\(name)) \(state) \(Self.rest)\n"))
        #expect(status.name == name)
        #expect(status.state == Character(state))
        #expect(status.parent == Int32(parent))
        #expect(status.startTime == 987_654_321)
    }

    @Test(arguments: [
        "", "1 bash S 1", "1 (bash) S 1 2 3", "1 (bash) SS \(rest)", "1 )bash( S \(rest)",
        "1 (bash) S x 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654321",
    ])
    func refusesWhatIsNoStatus(line: String) {
        #expect(ProcessStatus(parsing: line) == nil)
    }

    @Test(
        arguments: [
            ("SigIgn:\t0000000000001000\n", [13]), ("Name:\tx\nSigIgn:\t8000000000000001\nSigCgt:\tff\n", [1, 64]),
            ("SigIgn:\t0000000000000000\n", []), ("", []), ("SigIgn:\tzz\n", []),
        ] as [(String, [Int])])
    func readsTheMaskOfIgnoredSignals(status: String, signals: [Int]) {
        let mask = ignoredSignals(in: status)
        #expect((1...64).filter { mask >> UInt64($0 - 1) & 1 == 1 } == signals)
    }
}
