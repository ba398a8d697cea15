import Basics
import Testing

@testable import AWS

/// Lengths of time as FIS writes them and as experiment files do.
@Suite struct FISDurationTests {
    @Test(arguments: [
        ("PT1M", Span.minutes(1)), ("PT12H", .minutes(720)), ("PT1H30M", .minutes(90)), ("PT90S", .seconds(90)),
        ("P1D", .minutes(1_440)), ("P1DT12H", .minutes(2_160)), ("P2W", .minutes(20_160)), ("PT0S", .zero),
        ("PT1.5S", .milliseconds(1_500)), ("PT0,5M", .seconds(30)), ("PT1H0M1S", .seconds(3_601)),
    ])
    func isReadWhole(text: String, span: Span) {
        #expect(FISDuration.parse(text) == span)
    }

    @Test(arguments: [
        "", "P", "PT", "5M", "PT5", "PTM", "P1Y", "P1M", "PT1S1H", "PT1M1M", "PT1.5H1M", "PT1ST1H", "PT-1M", "P1DT",
        "PT.5S", "PT5.S", "PT5m", "pt5m", "PT1 M", "P1H", "PT99999999999999H", "PT1T1M",
    ])
    func whatIsNoLengthOfTimeIsRefused(text: String) {
        #expect(FISDuration.parse(text) == nil)
    }

    @Test(arguments: [
        (Span.minutes(5), "PT5M"), (.seconds(90), "PT1M30S"), (.minutes(61), "PT1H1M"), (.minutes(2_160), "PT36H"),
        (.zero, "PT0S"),
    ])
    func isWrittenInHoursMinutesAndSeconds(span: Span, text: String) {
        #expect(FISDuration.text(span) == text)
        #expect(FISDuration.parse(text) == span)
    }

    @Test func partsOfASecondCannotBeWritten() {
        #expect(FISDuration.text(.milliseconds(1_500)) == nil)
        #expect(FISDuration.text(.seconds(-1)) == nil)
    }

    @Test(arguments: [Span.zero, .seconds(90), .milliseconds(61_500), .nanoseconds(3_600_000_000_001)])
    func anExperimentFileGetsItWithoutRounding(span: Span) {
        #expect(Span(parsing: span.written) == span)
    }
}
