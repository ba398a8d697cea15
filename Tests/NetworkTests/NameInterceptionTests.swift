import Basics
import Contracts
import Glibc
import Process
import Synchronization
import TestSupport
import Testing

@testable import Network

/// Queries from `a` to a name server in `b`, taken away in `a`; both versions of the Internet Protocol, UDP and TCP.
@Suite(.enabled(if: isRoot, needsRoot)) struct NameInterceptionTests {
    let fixture: BlockFixture
    let server: TestNameServer
    private static let mark = "test_names"
    private static let servers = [TestPair.address4.b, TestPair.address6.b]
    private static let truth = DNSAnswer(.success, [AddressRange(.version4, [10, 1, 1, 1])])
    private static let lie = AddressRange(.version4, [10, 66, 66, 66])

    init() throws {
        fixture = try BlockFixture()
        server = try TestNameServer(in: fixture.pair.b, at: Self.servers)
    }

    // MARK: Asking

    private func range(_ text: String) throws -> AddressRange { try #require(AddressRange(parsing: text)) }

    private func ask(
        _ name: String, _ server: String, within limit: Span = .milliseconds(300)
    ) async throws -> DNSAnswer? {
        try await fixture.kernel.ask(
            try #require(DomainName(parsing: name)), .version4, of: try range(server),
            from: try fixture.identity(fixture.pair.a), within: limit)?.answer
    }

    /// Before anything is done to it. A fresh cable needs a moment before it carries IPv6.
    private func isAnswered(by server: String) async throws -> Bool {
        for _ in 0..<20 {
            if try await ask("first.test", server, within: .milliseconds(300)) == Self.truth { return true }
        }
        return false
    }

    /// The same over TCP.
    private func askOverTCP(_ name: String, _ server: String, within limit: Span = .milliseconds(300)) throws
        -> DNSAnswer?
    {
        let address = try range(server)
        let socket = try ProbeSocket(SOCK_STREAM, address.family, in: try fixture.pair.a.open())
        let number = socket.descriptor.number
        _ = SocketAddress(address.first, address.family, port: 53).with { connect(number, $0, $1) }
        _ = readyDescriptors([number], for: POLLOUT, within: .seconds(1))
        let question = DNSQuestion(try #require(DomainName(parsing: name)), type: 1, identifier: 77)
        let framed = bigEndian(UInt16(question.bytes.count)) + question.bytes
        // In two pieces: a length may arrive without what it counts.
        _ = send(number, framed, 5, CInt(MSG_NOSIGNAL))
        usleep(2_000)
        _ = send(number, Array(framed[5...]), framed.count - 5, CInt(MSG_NOSIGNAL))
        guard !readyDescriptors([number], for: POLLIN, within: limit).isEmpty else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(number, &buffer, buffer.count, 0)
        return count > 2 ? DNSAnswer(Array(buffer[2..<count]), to: question) : nil
    }

    private func work(_ rule: NameRule) async throws -> NetworkWork {
        let process = try fixture.identity(fixture.pair.a)
        let facts = try await fixture.kernel.look(at: process)
        let member = NamespaceMember(
            name: "a", process: process, namespace: facts.identity, addresses: facts.addresses)
        return NetworkWork(
            mark: Self.mark, run: "test", members: [member],
            rules: NameInterception(
                mark: Self.mark, run: "test", rule: rule, servers: try Self.servers.map { try range($0) }))
    }

    private func intercept(_ mode: NameRule.Mode, _ names: String..., delay: Span = .zero) async throws {
        let rule = NameRule(
            names: try names.map { try #require(NamePattern(parsing: $0)) }, mode: mode, delay: delay,
            addresses: mode == .wrongAnswer ? [Self.lie] : [])
        let notes = fixture.notes
        try await fixture.kernel.install(try await work(rule)) { event in
            if case .lost(let reason) = event { notes.list.withLock { $0.append(reason) } }
        }
        _ = try await fixture.kernel.arm(Self.mark)
        try await fixture.kernel.forgetQueries(
            to: try Self.servers.map { try range($0) }, redirectedOnly: false,
            of: try fixture.identity(fixture.pair.a))
    }

    // MARK: Modes

    private static let answers: [(NameRule.Mode, DNSAnswer?)] = [
        (.drop, nil), (.refuse, DNSAnswer(.refused)), (.servfail, DNSAnswer(.serverFailure)),
        (.nxdomain, DNSAnswer(.noSuchName)), (.wrongAnswer, DNSAnswer(.success, [lie])),
    ]

    @Test(arguments: answers)
    func onlyTheChosenNamesAreHitUntilTheHeal(mode: NameRule.Mode, answer: DNSAnswer?) async throws {
        for server in Self.servers { #expect(try await isAnswered(by: server)) }
        try await intercept(mode, "db.test", "*.zone.test")
        _ = server.questions
        for server in Self.servers {
            #expect(try await ask("DB.test", server) == answer)
            #expect(try await ask("x.zone.test", server) == answer)
            #expect(try askOverTCP("db.test", server) == answer)
            #expect(try await ask("web.test", server, within: .seconds(2)) == Self.truth)
            #expect(try askOverTCP("zone.test", server, within: .seconds(2)) == Self.truth)
        }
        // The real server was not asked for a name that is taken away.
        #expect(Set(server.questions) == ["web.test", "zone.test"])
        await fixture.kernel.release(Self.mark)
        for server in Self.servers {
            #expect(try await ask("db.test", server, within: .seconds(2)) == Self.truth)
            #expect(try askOverTCP("db.test", server, within: .seconds(2)) == Self.truth)
        }
        #expect(try fixture.pair.a.tables() == [])
        #expect(fixture.notes.list.withLock { $0 } == [])
    }

    @Test func aDelayedAnswerIsTheTrueOneAndLate() async throws {
        for server in Self.servers { #expect(try await isAnswered(by: server)) }
        try await intercept(.delay, "db.test", delay: .milliseconds(400))
        for server in Self.servers {
            #expect(try await ask("db.test", server, within: .milliseconds(300)) == nil)
            #expect(try await ask("db.test", server, within: .seconds(3)) == Self.truth)
            #expect(try askOverTCP("db.test", server, within: .seconds(3)) == Self.truth)
            #expect(try await ask("web.test", server, within: .milliseconds(350)) == Self.truth)
        }
        await fixture.kernel.release(Self.mark)
    }

    @Test func withoutNamesAllAreHit() async throws {
        try await intercept(.nxdomain)
        #expect(try await ask("anything.at.all", TestPair.address4.b) == DNSAnswer(.noSuchName))
        #expect(server.questions == [])
        await fixture.kernel.release(Self.mark)
    }

    // MARK: Sockets that are kept

    /// One query on a socket that lives on, as resolvers with a pool of sockets do.
    private func ask(on socket: ProbeSocket, _ identifier: UInt16) throws -> DNSAnswer? {
        let question = DNSQuestion(try #require(DomainName(parsing: "db.test")), type: 1, identifier: identifier)
        let number = socket.descriptor.number
        _ = send(number, question.bytes, question.bytes.count, CInt(MSG_NOSIGNAL))
        guard !readyDescriptors([number], for: POLLIN, within: .seconds(1)).isEmpty else { return nil }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(number, &buffer, buffer.count, 0)
        return count > 0 ? DNSAnswer(Array(buffer[..<count]), to: question) : nil
    }

    @Test(arguments: servers)
    func aProgramThatKeepsItsSocketIsHitAndHealedToo(server text: String) async throws {
        let address = try range(text)
        #expect(try await isAnswered(by: text))
        let socket = try ProbeSocket(SOCK_DGRAM, address.family, in: try fixture.pair.a.open())
        let target = SocketAddress(address.first, address.family, port: 53)
        try #require(target.with { connect(socket.descriptor.number, $0, $1) } == 0)
        #expect(try ask(on: socket, 1) == Self.truth)
        try await intercept(.nxdomain, "db.test")
        #expect(try ask(on: socket, 2) == DNSAnswer(.noSuchName))
        await fixture.kernel.release(Self.mark)
        #expect(try ask(on: socket, 3) == Self.truth)
    }

    // MARK: Who heals

    @Test func aRedirectThatNobodyRenewsIsLiftedByTheKernel() async throws {
        let rule = NameRule(names: [], mode: .drop)
        let work = try await work(rule)
        let held = try HeldNamespace(0, of: work, in: try fixture.pair.a.open())
        try held.arm(for: .milliseconds(600))
        #expect(try await ask("db.test", TestPair.address4.b, within: .milliseconds(200)) == nil)
        let time = SystemTimeSource()
        let deadline = time.now + .seconds(4)
        var answer: DNSAnswer?
        while answer == nil, time.now < deadline {
            answer = try await ask("db.test", TestPair.address4.b, within: .milliseconds(200))
        }
        #expect(answer == Self.truth)
        #expect(try fixture.pair.a.tables().map(\.name) == [Self.mark])
    }

    /// A socket that is kept would be sent to the hung proxy for as long as it asks: it is refused instead.
    @Test(arguments: servers)
    func aSocketThatIsKeptIsRefusedWhenNobodyRenews(server text: String) async throws {
        #expect(try await isAnswered(by: text))
        let held = try HeldNamespace(
            0, of: try await work(NameRule(names: [], mode: .nxdomain)), in: try fixture.pair.a.open())
        try held.arm(for: .milliseconds(700))
        let address = try range(text)
        let target = SocketAddress(address.first, address.family, port: 53)
        let socket = try ProbeSocket(SOCK_DGRAM, address.family, in: try fixture.pair.a.open())
        try #require(target.with { connect(socket.descriptor.number, $0, $1) } == 0)
        #expect(try ask(on: socket, 1) == DNSAnswer(.noSuchName))
        let time = SystemTimeSource()
        let deadline = time.now + .seconds(4)
        var failure: CInt = 0
        while failure == 0, time.now < deadline {
            if send(socket.descriptor.number, [1], 1, CInt(MSG_NOSIGNAL)) < 0 { failure = errno }
            usleep(20_000)
        }
        #expect(failure != 0)
        let fresh = try ProbeSocket(SOCK_DGRAM, address.family, in: try fixture.pair.a.open())
        try #require(target.with { connect(fresh.descriptor.number, $0, $1) } == 0)
        #expect(try ask(on: fresh, 2) == Self.truth)
    }

    @Test func theNamespaceOfAnEndedProcessIsLetGo() async throws {
        try await intercept(.drop, "db.test")
        fixture.pair.a.kill()
        let gone = try eventually(within: .seconds(3)) {
            try !fixture.pair.b.run("ip", "-o", "link", "show").contains("eth0")
        }
        #expect(gone.holds)
        await fixture.kernel.release(Self.mark)
    }

    // MARK: Hostile clients

    @Test func bytesThatAreNoQueryDoNotDisturbTheProxy() async throws {
        try await intercept(.nxdomain, "db.test")
        let address = try range(TestPair.address4.b)
        let target = SocketAddress(address.first, .version4, port: 53)
        let datagrams = try ProbeSocket(SOCK_DGRAM, .version4, in: try fixture.pair.a.open())
        var random = SeededGenerator(seed: 3)
        for length in [0, 1, 2, 11, 12, 13, 100, 1_000, 9_000] {
            let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = target.with { sendto(datagrams.descriptor.number, noise, noise.count, CInt(MSG_NOSIGNAL), $0, $1) }
        }
        var connections: [ProbeSocket] = []
        // More connections than it keeps; some say nothing, some a length and no more, some noise.
        for index in 0..<(NameProxy.mostConnections + 20) {
            let socket = try ProbeSocket(SOCK_STREAM, .version4, in: try fixture.pair.a.open())
            _ = target.with { connect(socket.descriptor.number, $0, $1) }
            let noise: [UInt8] = index.isMultiple(of: 3) ? [] : [0xff, UInt8(truncatingIfNeeded: index), 1, 2, 3]
            _ = send(socket.descriptor.number, noise, noise.count, CInt(MSG_NOSIGNAL))
            connections.append(socket)
        }
        #expect(try await ask("db.test", TestPair.address4.b, within: .seconds(2)) == DNSAnswer(.noSuchName))
        #expect(try await ask("web.test", TestPair.address4.b, within: .seconds(2)) == Self.truth)
        connections = []
        let served = try eventually(within: .seconds(5)) {
            try askOverTCP("db.test", TestPair.address4.b) == DNSAnswer(.noSuchName)
        }
        #expect(served.holds)
        await fixture.kernel.release(Self.mark)
    }

    // MARK: What the kernel understood

    private func expressions(_ table: String) throws -> [String] {
        let text = try fixture.pair.a.run("nft", "--debug=netlink", "list", "table", "inet", table)
        return text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("[") }.map(String.init)
    }

    @Test func theKernelHasTheSameExpressionsAsForTheRulesThatNftWrites() async throws {
        try await intercept(.nxdomain)
        let ours = try fixture.pair.a.run("nft", "list", "table", "inet", Self.mark)
        let ports = ours.matches(of: /redirect to :([0-9]+)/).map { String($0.output.1) }
        try #require(ports.count == 4)
        // Per server and transport: how nft says them, and how a flow is refused there.
        let ways = [
            ("ip", "server0", "127.0.0.1", "udp", "icmpx admin-prohibited"),
            ("ip", "server0", "127.0.0.1", "tcp", "tcp reset"),
            ("ip6", "server1", "::1", "udp", "icmpx admin-prohibited"), ("ip6", "server1", "::1", "tcp", "tcp reset"),
        ]
        let redirects = zip(ways, ports).map { way, port in
            "\(way.0) daddr @\(way.1) \(way.3) dport 53 counter redirect to :\(port)"
        }
        let refusals = zip(ways, ports).map { way, port in
            "\(way.0) daddr \(way.2) \(way.3) dport \(port) ct original \(way.0) daddr != @\(way.1) counter "
                + "reject with \(way.4)"
        }
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            table inet theirs {
              set server0 { type ipv4_addr; flags timeout; }
              set server1 { type ipv6_addr; flags timeout; }
              chain names { type nat hook output priority -150;
                meta mark 0x5371756c accept
                \(redirects.joined(separator: "\n    "))
              }
              chain stale { type filter hook output priority 0;
                \(refusals.joined(separator: "\n    "))
              }
            }
            """, to: "rules.nft")
        try fixture.pair.a.run("nft", "-f", file)
        #expect(try expressions(Self.mark) == expressions("theirs"))
        await fixture.kernel.release(Self.mark)
    }

    // MARK: What the kernel remembers

    @Test func flowsOfOthersAreNotForgotten() async throws {
        try await intercept(.nxdomain, "db.test")
        let socket = try fixture.pair.a.open().netlink(.netfilter)
        _ = try await ask("db.test", TestPair.address4.b)
        let datagrams = try ProbeSocket(SOCK_DGRAM, .version4, in: try fixture.pair.a.open())
        let target = SocketAddress(try range(TestPair.address4.b).first, .version4, port: 9_999)
        _ = target.with { sendto(datagrams.descriptor.number, [1], 1, CInt(MSG_NOSIGNAL), $0, $1) }
        let before = try ConnectionTracking.flows(socket)
        #expect(before.contains { $0.port == 53 && $0.answeredBy == .loopback(.version4) && $0.answeredFrom != 53 })
        #expect(before.contains { $0.port == 9_999 })
        await fixture.kernel.release(Self.mark)
        let after = try ConnectionTracking.flows(socket)
        #expect(!after.contains { $0.port == 53 && $0.answeredBy == .loopback(.version4) })
        #expect(after.contains { $0.port == 9_999 })
    }
}
