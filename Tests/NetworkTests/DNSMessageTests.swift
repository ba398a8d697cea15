import Basics
import Contracts
import Testing

@testable import Network

/// DNS messages byte by byte: they come from other people's programs.
@Suite struct DNSMessageTests {
    private static let header: [UInt8] = [
        0x12, 0x34,  // identifier
        0x01, 0x00,  // flags: recursion desired
        0, 1, 0, 0, 0, 0, 0, 0,  // one question, nothing else
    ]
    private static let question: [UInt8] = [
        2, 0x44, 0x62, 7, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0,  // "Db" "example" root
        0, 1, 0, 1,  // A, IN
    ]

    private func name(_ text: String) throws -> DomainName { try #require(DomainName(parsing: text)) }

    // MARK: Names

    @Test(arguments: [
        ("db.example.com", "db.example.com"), ("DB.Example.com.", "db.example.com"), ("a", "a"),
        ("_srv._tcp.x", "_srv._tcp.x"),
        ("10.0.0.1", "10.0.0.1"),
    ])
    func aHostNameIsRead(text: String, read: String) {
        #expect(DomainName(parsing: text)?.description == read)
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "a b", "müller", "*", "a.*", String(repeating: "a", count: 64),
        Array(repeating: "abcdefg", count: 32).joined(separator: "."),
    ])
    func whatNoHostIsCalledIsRefused(text: String) {
        #expect(DomainName(parsing: text) == nil)
    }

    @Test func aPatternTakesItsNameOrWhatIsBelowIt() throws {
        let exact = try #require(NamePattern(parsing: "db.internal"))
        let below = try #require(NamePattern(parsing: "*.internal"))
        #expect(exact.matches(try name("DB.internal")))
        #expect(!exact.matches(try name("x.db.internal")))
        #expect(below.matches(try name("x.db.internal")))
        #expect(!below.matches(try name("internal")))
        #expect(!below.matches(try name("xinternal")))
        #expect(NamePattern(parsing: "*") == nil)
        #expect(NamePattern(parsing: "a.*.b") == nil)
    }

    // MARK: Queries

    @Test func aQueryIsReadWithoutRegardToCaseAndItsQuestionIsKept() throws {
        let query = try #require(DNSQuestion(Self.header + Self.question))
        #expect(query.identifier == 0x1234)
        #expect(query.name.description == "db.example")
        #expect(query.type == 1)
        #expect(query.section == Self.question)
        #expect(!query.hasOptions)
        #expect(query.bytes == Self.header + Self.question)
    }

    @Test func anOptRecordIsNoticed() throws {
        var message = Self.header + Self.question
        message[11] = 1
        message += [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]
        #expect(try #require(DNSQuestion(message)).hasOptions)
    }

    @Test(arguments: [
        (2, UInt8(0x81)),  // a response
        (2, 0x29),  // opcode 5: an update
        (5, 0),  // no question
        (5, 2),  // two questions
        (12, 0xc0),  // a pointer where the name begins
        (12, 63),  // a label that goes on beyond the message
        (12, 0x40),  // a label of a sort that there is not
    ])
    func whatIsNoOrdinaryQueryIsNotUnderstood(offset: Int, byte: UInt8) {
        var message = Self.header + Self.question
        message[offset] = byte
        #expect(DNSQuestion(message) == nil)
    }

    @Test func aNameThatIsTooLongOrNeverEndsIsRefused() {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let long: [UInt8] = Array(repeatElement(label, count: 5).joined()) + [0, 0, 1, 0, 1]
        #expect(DNSQuestion(Self.header + long) == nil)
        #expect(DNSQuestion(Self.header + [1, 0x61]) == nil)
    }

    /// Every prefix, every byte turned into each of some values, and noise: no bytes may end the process.
    @Test func noBytesWhateverEndTheProcess() throws {
        let rule = NameRule(names: [], mode: .nxdomain)
        let query = Self.header + Self.question
        let reply = DNSAnswer(.success, [try #require(AddressRange(parsing: "10.0.0.1"))])
            .message(to: try #require(DNSQuestion(query)))
        let asked = try #require(DNSQuestion(query))
        for message in [query, reply] {
            for length in 0..<message.count { feed(Array(message.prefix(length)), rule, asked) }
            for index in message.indices {
                for byte in [UInt8(0), 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff] {
                    var broken = message
                    broken[index] = byte
                    feed(broken, rule, asked)
                }
            }
        }
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...80, using: &random)
            var noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Half of it looks like a message at first sight.
            if length > 12, Bool.random(using: &random) { noise.replaceSubrange(0..<12, with: Self.header) }
            feed(noise, rule, asked)
        }
    }

    private func feed(_ bytes: [UInt8], _ rule: NameRule, _ asked: DNSQuestion) {
        _ = DNSAnswer(bytes, to: asked)
        guard case .answer(let answer) = rule.decide(bytes), let question = DNSQuestion(bytes) else { return }
        #expect(DNSAnswer(answer, to: question)?.code == .noSuchName)
    }

    // MARK: Answers

    @Test func aWrongAnswerIsOneThatNobodyKeeps() throws {
        let query = try #require(DNSQuestion(Self.header + Self.question))
        let addresses = ["10.0.0.1", "fd00::1"].compactMap { AddressRange(parsing: $0) }
        #expect(
            DNSAnswer(.success, addresses).message(to: query) == [
                0x12, 0x34,  // identifier
                0x81, 0x80,  // a response, recursion desired and available, NOERROR
                0, 1, 0, 1, 0, 0, 0, 0,  // one question, one answer
            ] + Self.question + [
                0xc0, 0x0c,  // the name: that of the question
                0, 1, 0, 1,  // A, IN
                0, 0, 0, 0,  // lives for 0 seconds
                0, 4, 10, 0, 0, 1,  // the address
            ])
    }

    @Test func anErrorRepeatsTheQuestionAndAnswersOptionsWithOptions() throws {
        var message = Self.header + Self.question
        message[11] = 1
        let query = try #require(DNSQuestion(message + [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]))
        #expect(
            DNSAnswer(.refused).message(to: query) == [
                0x12, 0x34, 0x81, 0x85, 0, 1, 0, 0, 0, 0, 0, 1,  // REFUSED, one additional record
            ] + Self.question + [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0])
    }

    @Test func anotherTypeOfRecordIsEmpty() throws {
        var message = Self.header + Self.question
        message[message.count - 3] = 16  // TXT
        let query = try #require(DNSQuestion(message))
        let answer = DNSAnswer(.success, [try #require(AddressRange(parsing: "10.0.0.1"))])
        #expect(DNSAnswer(answer.message(to: query), to: query) == DNSAnswer(.success))
    }

    @Test func anAnswerToSomethingElseIsNone() throws {
        let query = try #require(DNSQuestion(Self.header + Self.question))
        var reply = DNSAnswer(.success).message(to: query)
        reply[0] = 9
        #expect(DNSAnswer(reply, to: query) == nil)
        #expect(DNSAnswer(Self.header + Self.question, to: query) == nil)
    }

    // MARK: Rules

    @Test(arguments: [
        (NameRule.Mode.drop, NameRule.Decision.ignore), (.delay, .passLater(.seconds(1))),
    ])
    func aRuleDecidesAboutItsNamesAlone(mode: NameRule.Mode, decision: NameRule.Decision) throws {
        let query = Self.header + Self.question
        let hit = NameRule(names: [try #require(NamePattern(parsing: "db.example"))], mode: mode, delay: .seconds(1))
        let miss = NameRule(names: [try #require(NamePattern(parsing: "web.example"))], mode: mode, delay: .seconds(1))
        #expect(hit.decide(query) == decision)
        #expect(NameRule(names: [], mode: mode, delay: .seconds(1)).decide(query) == decision)
        #expect(miss.decide(query) == .pass)
        #expect(hit.decide([1, 2, 3]) == .pass)
    }

    // MARK: resolv.conf

    @Test func theServersOfAResolvConfAreReadAsLibcDoes() {
        let text = """
            # nameserver 10.0.0.9
            search example.com
            nameserver 127.0.0.11
            nameserver\tfd00::53
            nameserver 127.0.0.11
            nameserver dns.example.com
            nameserver 10.0.0.1
            nameserver 10.0.0.2
            options ndots:0
            """
        #expect(ResolverFile.servers(text).map(\.description) == ["127.0.0.11", "fd00::53", "10.0.0.1"])
        #expect(ResolverFile.servers("nameserver").isEmpty)
    }

    // MARK: Effects

    @Test func anEffectIsClaimedOnlyWhenTheAnswerHasChangedAsItMust() throws {
        let server = try #require(AddressRange(parsing: "127.0.0.11"))
        let address = try #require(AddressRange(parsing: "10.0.0.7"))
        let good = NameReply(answer: DNSAnswer(.success, [address]), after: .milliseconds(2))
        let gone = NameReply(answer: DNSAnswer(.noSuchName), after: .milliseconds(2))
        let late = NameReply(answer: good.answer, after: .seconds(2))
        let armed = InstantRange(Instant(nanoseconds: 1))
        func isShown(_ rule: NameRule, _ before: NameReply, _ after: NameReply?) throws -> Bool {
            let first = NameEffect.Before(name: try name("db"), server: server, reply: before)
            switch NameEffect(rule: rule, family: .version4).judge(first, after, armed) {
            case .confirmed: return true
            case .unproven: return false
            }
        }
        let nxdomain = NameRule(names: [], mode: .nxdomain)
        let drop = NameRule(names: [], mode: .drop)
        let delay = NameRule(names: [], mode: .delay, delay: .seconds(1))
        let wrong = NameRule(names: [], mode: .wrongAnswer, addresses: [address])
        #expect(try isShown(nxdomain, good, gone))
        #expect(try !isShown(nxdomain, gone, gone))
        #expect(try !isShown(nxdomain, good, good))
        #expect(try !isShown(nxdomain, good, nil))
        #expect(try isShown(drop, good, nil))
        #expect(try !isShown(drop, good, good))
        #expect(try isShown(delay, good, late))
        #expect(try !isShown(delay, good, good))
        #expect(try !isShown(delay, late, late))
        #expect(try !isShown(delay, good, nil))
        #expect(try isShown(wrong, gone, good))
        #expect(try !isShown(wrong, good, good))
    }
}
