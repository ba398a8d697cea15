import Testing

@testable import Basics

@Suite struct SpanTests {
    @Test(arguments: [
        ("250ms", 250_000_000), ("2m", 120_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000),
        ("10us", 10_000), ("0s", 0), ("1m5s", 65_000_000_000),
    ])
    func parsesADurationWithItsUnit(text: String, nanoseconds: Int) {
        #expect(Span(parsing: text)?.nanoseconds == Int64(nanoseconds))
    }

    @Test(arguments: ["30", "", "s", "-5s", "5 s", "5x", "1e400s", "99999999999h", "5s3", ".", "1..2s"])
    func refusesWhatIsNoDuration(text: String) {
        #expect(Span(parsing: text) == nil)
    }

    @Test(arguments: [
        (7_345_000_000, "7.345s"), (250_000_000, "250ms"), (125_000_000_000, "2m5s"), (0, "0s"), (1_500, "1.5us"),
        (3_600_000_000_000, "1h0m"), (-5_000_000, "-5ms"),
    ])
    func printsTheLargestUnitThatFits(nanoseconds: Int, text: String) {
        #expect(Span(nanoseconds: Int64(nanoseconds)).description == text)
    }

    @Test func formatsDecimalsWithoutTrailingZeros() {
        #expect(decimal(1.5, places: 3) == "1.5")
        #expect(decimal(-0.04, places: 1) == "0")
        #expect(decimal(1.005, places: 2) == "1" || decimal(1.005, places: 2) == "1.01")
        #expect(decimal(12, places: 0) == "12")
    }

    @Test func printsCalendarTime() {
        #expect(WallInstant(nanoseconds: 1_795_355_753_120_000_000).iso8601 == "2026-11-22T13:55:53.120Z")
        #expect(WallInstant(nanoseconds: 0).compact == "19700101-000000")
    }
}
