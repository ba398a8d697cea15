import Basics
import Contracts
import Experiment
import Testing

@testable import Network

/// Answers of name servers byte by byte, what changes between two of them, and what a file may say.
@Suite struct DNSRecordTests {
    private static let name = DomainName(parsing: "db.example") ?? .root

    private func question(_ kind: RecordKind) -> DNSQuestion {
        DNSQuestion(Self.name, type: kind.number, identifier: 0x1234)
    }

    /// Header with `answers` records, the question, then `records`.
    private func message(
        _ kind: RecordKind, answers: UInt8, flags: (UInt8, UInt8) = (0x81, 0x80), _ records: [UInt8]
    ) -> [UInt8] {
        [0x12, 0x34, flags.0, flags.1, 0, 1, 0, answers, 0, 0, 0, 0] + question(kind).section + records
    }

    /// Pointer to the question's name.
    private static let owner: [UInt8] = [0xc0, 0x0c]
    private static let address: [UInt8] = [
        0, 1, 0, 1,  // A, IN
        0, 0, 0, 60,  // lives for 60 seconds
        0, 4, 10, 0, 0,  // length, and an address without its last byte
    ]

    // MARK: Answers

    @Test func addressesKeepTheServersOrderAndTheIdentityDoesNot() throws {
        let records = Self.owner + Self.address + [2] + Self.owner + Self.address + [1]
        let answer = try #require(
            RecordAnswer(message(.address4, answers: 2, records), to: question(.address4)))
        #expect(answer == RecordAnswer(.success, ["10.0.0.2", "10.0.0.1"], timeToLive: 60))
        #expect(answer.identity == "10.0.0.1,10.0.0.2")
        #expect(answer.state == "resolved" && answer.isResolved)
        #expect(answer.addresses.map(\.description) == ["10.0.0.2", "10.0.0.1"])
    }

    @Test func anAliasIsFollowedAndTheShortestLifeCounts() throws {
        let alias: [UInt8] =
            Self.owner + [
                0, 5, 0, 1, 0, 0, 0, 5,  // CNAME, IN, 5 seconds
                0, 7, 4, 0x70, 0x67, 0x2d, 0x32,  // length, "pg-2"
                0xc0, 0x0f,  // "example" of the question
            ]
        // Where the alias's content begins: header, question, owner, type, class, life, length.
        let target = UInt8(12 + question(.address4).section.count + 12)
        let other: [UInt8] = [1, 0x78, 0] + Self.address + [9]
        let records = other + alias + [0xc0, target + UInt8(other.count)] + Self.address + [7]
        let answer = try #require(RecordAnswer(message(.address4, answers: 3, records), to: question(.address4)))
        #expect(answer == RecordAnswer(.success, ["10.0.0.7"], timeToLive: 5))
        let itself = try #require(RecordAnswer(message(.alias, answers: 1, alias), to: question(.alias)))
        #expect(itself == RecordAnswer(.success, ["pg-2.example"], timeToLive: 5))
    }

    @Test(arguments: [
        (UInt8(0x80), "no-record"), (0x82, "servfail"), (0x83, "nxdomain"), (0x85, "query-refused"),
        (0x84, "rcode-4"),
    ])
    func anErrorIsAStateOfItsOwn(flags: UInt8, state: String) throws {
        let answer = try #require(
            RecordAnswer(message(.address4, answers: 0, flags: (0x81, flags), []), to: question(.address4)))
        #expect(answer.state.text == state && !answer.isResolved && answer.timeToLive == nil)
    }

    @Test func aTruncatedAnswerSaysSo() throws {
        let cut = message(
            .address4, answers: 9, flags: (0x83, 0x80), Array((Self.owner + Self.address).dropLast(3)))
        #expect(try #require(RecordAnswer(cut, to: question(.address4))).isTruncated)
    }

    @Test func aLifeWithItsHighestBitSetIsZero() throws {
        var record = Self.owner + Self.address + [1]
        record[6] = 0x80
        let answer = try #require(RecordAnswer(message(.address4, answers: 1, record), to: question(.address4)))
        #expect(answer.timeToLive == 0)
    }

    @Test func anAnswerToSomethingElseIsNone() {
        let good = message(.address4, answers: 0, [])
        for (index, byte) in [(0, UInt8(9)), (2, 0x01), (5, 2), (13, 0x78), (good.count - 3, 28)] {
            var other = good
            other[index] = byte
            #expect(RecordAnswer(other, to: question(.address4)) == nil, "byte \(index)")
        }
    }

    @Test func aPointerThatDoesNotLeadBackIsNoName() {
        #expect(DomainName(in: [0xc0, 0x00], at: 0) == nil)
        #expect(DomainName(in: [0xc0, 0x02, 1, 0x61, 0], at: 0) == nil)
        #expect(DomainName(in: [1, 0x61, 0xc0, 0x00], at: 0) == nil)
        #expect(DomainName(in: [1, 0x61, 0, 1, 0x62, 0xc0, 0x00], at: 3)?.description == "b.a")
        #expect(DomainName(in: [5, 0x61], at: 0) == nil)
        #expect(DomainName(in: [], at: 0) == nil)
        #expect(DomainName(in: [0], at: 7) == nil)
        #expect(DomainName(in: [0x40], at: 0) == nil)
    }

    @Test func noBytesWhateverEndTheProcess() {
        let whole = message(
            .address4, answers: 2, Self.owner + Self.address + [2] + Self.owner + Self.address + [1])
        var random = SeededGenerator(seed: 11)
        for length in 0...whole.count { _ = RecordAnswer(Array(whole.prefix(length)), to: question(.address4)) }
        for _ in 0..<20_000 {
            var broken = whole
            for _ in 0..<3 {
                let index = Int.random(in: 2..<broken.count, using: &random)
                broken[index] = UInt8.random(in: 0...255, using: &random)
            }
            _ = RecordAnswer(broken, to: question(.address4))
        }
    }

    // MARK: Changes

    private func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    @Test func aChangeIsToldWithTheTimeInWhichItHappened() {
        var watch = RecordWatch(Self.name, .address4)
        func news(_ answer: RecordAnswer, at milliseconds: Int64) -> String? {
            watch.news(answer, at: instant(milliseconds))
        }
        let old = RecordAnswer(.success, ["10.0.0.1"], timeToLive: 5)
        let new = RecordAnswer(.success, ["10.0.0.2"], timeToLive: 5)
        #expect(news(old, at: 0) == "db.example A is 10.0.0.1 (TTL 5s)")
        #expect(news(old, at: 1_000) == nil)
        #expect(
            news(new, at: 2_200)
                == "db.example A was 10.0.0.1, is 10.0.0.2, seen 1.2s after the old answer was last seen (TTL 5s)")
        #expect(
            news(RecordAnswer(.noSuchName), at: 3_200)
                == "db.example A was 10.0.0.2, is nxdomain, seen 1s after the old answer was last seen")
    }

    @Test func answersThatOnlyTurnAroundAreTheSame() {
        var watch = RecordWatch(Self.name, .address4)
        _ = watch.news(RecordAnswer(.success, ["10.0.0.1", "10.0.0.2"], timeToLive: 5), at: instant(0))
        let news = watch.news(RecordAnswer(.success, ["10.0.0.2", "10.0.0.1"], timeToLive: 4), at: instant(1))
        #expect(news == nil)
    }

    @Test func silenceAndTheEndOfTheKeptConnectionAreToldOnce() throws {
        var watch = RecordWatch(Self.name, .address4)
        let server = NameServer(host: "10.0.0.2")
        func news(_ silence: Label?) -> String? { watch.news(silence: silence?.text, of: server) }
        func news(_ kept: RecordConnector.Kept) -> String? { watch.news(kept, port: 5_432) }
        #expect(news(nil) == nil)
        #expect(news("timeout") == "name server 10.0.0.2:53 gives no answer: timeout")
        #expect(news("timeout") == nil)
        #expect(news(nil) == "name server 10.0.0.2:53 answers again")
        let address = try #require(AddressRange(parsing: "10.0.0.1"))
        #expect(news(RecordConnector.Kept(address: address)) == nil)
        let over = RecordConnector.Kept(address: address, end: "closed")
        #expect(news(over) == "the kept connection to 10.0.0.1 port 5432 is over: closed")
        #expect(news(over) == nil)
    }

    // MARK: Files

    @Test(arguments: [
        ("10.0.0.2", "10.0.0.2:53"), ("10.0.0.2:5353", "10.0.0.2:5353"), ("2001:db8::53", "[2001:db8::53]:53"),
        ("[2001:db8::53]", "[2001:db8::53]:53"), ("[::1]:54", "[::1]:54"),
        ("ns-1.awsdns.com:54", "ns-1.awsdns.com:54"),
        ("localhost", "localhost:53"),
    ])
    func aNameServerIsRead(text: String, read: String) {
        #expect(NameServer(parsing: text)?.description == read)
    }

    @Test(arguments: [
        "", ":53", "10.0.0.0/8", "10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "10.0.0.2:+5", "a b", "[10.0.0.2]:53",
        "[::1", "[::1]53", "10.0.0.300:53",
    ])
    func whatIsNoNameServerIsRefused(text: String) {
        #expect(NameServer(parsing: text) == nil)
    }

    private func findings(_ entries: [(String, String)]) -> [String] {
        let place = Location(file: "t", line: 1, column: 1)
        var diagnostics = Diagnostics()
        let nodes = entries.map { Node.Entry($0.0, at: place, .scalar(.init($0.1, isQuoted: true, at: place))) }
        _ = ParameterReader.read(
            .mapping(.init(nodes, at: place)), DNSRecordProbe.parameters, into: &diagnostics
        ) { DNSRecordProbe(name: "p", from: &$0) }
        return diagnostics.all.map(\.message)
    }

    @Test func whatCanBeMeantIsAccepted() {
        #expect(findings([("name", "db.example.com.")]) == [])
        #expect(findings([("name", "db.example.com"), ("port", "5432"), ("server", "10.0.0.2:53")]) == [])
        #expect(findings([("name", "db"), ("type", "CNAME"), ("every", "250ms")]) == [])
    }

    @Test(arguments: [
        ([("name", "a b")], "'a b' is no host name"), ([("name", "10.0.0.1")], "'10.0.0.1' is no host name"),
        ([("name", "db"), ("server", "10.0.0.2:x")], "'10.0.0.2:x' is no name server"),
        (
            [("name", "db"), ("type", "CNAME"), ("port", "80")],
            "a CNAME leads to a name: 'port' needs type A or AAAA"
        ),
        ([("name", "db"), ("every", "10ms")], "'every' must be at least 100ms"),
        (
            [("name", "db"), ("timeout", "1s")],
            "a timeout is at least 1ms and shorter than 'every' (1s): a look that is late would leave others out"
        ),
        ([("name", "db"), ("type", "MX")], "'MX' is not one of A, AAAA, CNAME"),
    ])
    func aLookThatCannotWorkIsRefused(entries: [(String, String)], message: String) {
        #expect(findings(entries) == [message])
    }
}
