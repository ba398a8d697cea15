import Basics
import Testing

@Suite struct WallInstantParsingTests {
    @Test(arguments: [
        ("2026-11-22T13:55:53Z", "2026-11-22T13:55:53.000Z"), ("2026-11-22T13:55:53.12Z", "2026-11-22T13:55:53.120Z"),
        ("2026-11-22T15:55:53+02:00", "2026-11-22T13:55:53.000Z"), ("2024-02-29 00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("1970-01-01T00:00:00-0100", "1970-01-01T01:00:00.000Z"),
        ("2000-12-31T23:59:59.999999999Z", "2000-12-31T23:59:59.999Z"),
    ])
    func aDateIsRead(text: String, expected: String) throws {
        #expect(try #require(WallInstant(parsingISO8601: text)).iso8601 == expected)
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T13:55:53", "2026-13-22T13:55:53Z", "2026-11-22T25:00:00Z",
        "2026-11-22T13:55:53.Z", "x2026-11-22T13:55:53Z", "2026-11-22T13:55:53Zx",
    ])
    func whatIsNoDateIsNone(text: String) {
        #expect(WallInstant(parsingISO8601: text) == nil)
    }

    @Test func theDateOfAnHTTPAnswerIsRead() throws {
        let date = try #require(WallInstant(parsingHTTPDate: "Sun, 06 Nov 1994 08:49:37 GMT"))
        #expect(date.iso8601 == "1994-11-06T08:49:37.000Z")
        #expect(date.iso8601Basic == "19941106T084937Z")
        #expect(WallInstant(parsingHTTPDate: "Sunday, 06-Nov-94 08:49:37 GMT") == nil)
    }
}
