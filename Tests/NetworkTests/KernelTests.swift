import Basics
import Glibc
import TestSupport
import Testing

@testable import Network

/// What this kernel does with our transactions, in namespaces of the tests' own.
@Suite(.enabled(if: isRoot, needsRoot)) struct KernelTests {
    let space: TestNamespace
    let socket: NetlinkSocket

    init() throws {
        space = try TestNamespace()
        socket = try space.open().netlink(.netfilter)
    }

    private static let rules: [[Expression]] = [
        [.load(.inputInterface), .compare(.equal, hostOrder(UInt32(1))), .decide(.accept)],
        [
            .load(.transport), .compare(.equal, [6]), .payload(.transport, offset: 13, length: 1), .mask([4]),
            .compare(.notEqual, [0]), .decide(.accept),
        ],
        [
            .load(.family), .compare(.equal, [2]), .payload(.network, offset: 12, length: 4),
            .lookup("peers4", setIdentifier: 1), .load(.transport), .compare(.equal, [6]),
            .payload(.transport, offset: 2, length: 2), .compare(.greaterOrEqual, [0, 80]),
            .compare(.lessOrEqual, [0, 90]), .counter, .decide(.drop),
        ],
        [.load(.transport), .compare(.equal, [6]), .decide(.rejectWithReset)],
        [.decide(.rejectWithMessage)],
    ]

    private func table(_ name: String, rules: [[Expression]] = KernelTests.rules, hasRanges: Bool = true)
        -> NftablesTable
    {
        NftablesTable(
            family: .inet, name: name, comment: "squall run r",
            sets: [.init(name: "peers4", family: .version4, identifier: 1, hasRanges: hasRanges)],
            chains: [.init(name: "in", hook: .input, rules: rules)])
    }

    private func create(_ table: NftablesTable) throws {
        var batch = try NftablesBatch("test", nextSequence: socket.nextSequence)
        try batch.create(table, isLast: true)
        try socket.transact(try batch.finish())
    }

    // MARK: What the kernel understood

    /// The lines in brackets of `nft --debug=netlink`, which are what the kernel has.
    private func expressions(_ table: String) throws -> [String] {
        let text = try space.run("nft", "--debug=netlink", "list", "table", "inet", table)
        return text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("[") }.map(String.init)
    }

    @Test func theKernelHasTheSameExpressionsAsForTheRulesThatNftWrites() throws {
        try create(table("ours"))
        let script = try TemporaryFolder()
        let file = try script.write(
            """
            table inet theirs {
              set peers4 { type ipv4_addr; flags interval,timeout; }
              chain in { type filter hook input priority -300;
                iif 1 accept
                tcp flags rst accept
                ip saddr @peers4 tcp dport 80-90 counter drop
                meta l4proto tcp reject with tcp reset
                reject with icmpx admin-prohibited
              }
            }
            """, to: "rules.nft")
        try space.run("nft", "-f", file)
        let (ours, theirs) = (try expressions("ours"), try expressions("theirs"))
        #expect(ours == theirs)
        #expect(ours.count == 24)
    }

    @Test func aTableNamesItsOwnerAndItsRun() throws {
        try create(table("ours"))
        let tables = try NftablesReader.tables(socket)
        #expect(
            tables == [.init(family: 1, name: "ours", flags: 2, owner: socket.port, comment: "squall run r")])
    }

    // MARK: All or nothing

    @Test func aBatchWithABadRequestChangesNothingAndNamesItsExpression() throws {
        let broken = table("ours", rules: [[.load(.family), .lookup("nowhere", setIdentifier: 9)], [.counter]])
        let error = #expect(throws: NetworkError.self) { try create(broken) }
        #expect(error?.errno == ENOENT)
        #expect(error?.operation == "test: add a rule to in")
        #expect(try space.tables() == [])
    }

    @Test func theErrorPointsAtTheAttributeThatIsWrong() throws {
        try create(table("ours"))
        let error = #expect(throws: NetworkError.self) { try create(table("ours")) }
        #expect(error?.code == .exists)
        #expect(error?.attribute == "1")
    }

    // MARK: Sizes

    private static func address(_ number: Int) -> AddressRange {
        AddressRange(.version4, bigEndian(UInt32(0x0a00_0000) + UInt32(number)))
    }

    @Test func aHundredThousandAddressesArriveInOneBatch() throws {
        let ours = table("ours", hasRanges: false)
        try create(ours)
        let addresses = (0..<100_000).map(Self.address)
        let time = SystemTimeSource()
        let start = time.now
        var batch = try NftablesBatch("test", nextSequence: socket.nextSequence)
        try batch.add(addresses, to: ours.sets[0], of: ours, milliseconds: 600_000, isLast: true)
        try socket.transact(try batch.finish())
        #expect(time.now - start < .seconds(5))
        #expect(try NftablesReader.elements(of: "peers4", table: "ours", family: .inet, socket).count == 100_000)
    }

    @Test func aBatchLargerThanTheSocketsBufferIsRefusedAsWhole() throws {
        let small = try space.open().netlink(.netfilter, sendBuffer: 65_536)
        let ours = table("ours", hasRanges: false)
        let addresses = (0..<20_000).map(Self.address)
        var batch = try NftablesBatch("test", nextSequence: small.nextSequence)
        try batch.create(ours, isLast: false)
        try batch.add(addresses, to: ours.sets[0], of: ours, milliseconds: 1_000, isLast: true)
        let complete = try batch.finish()
        let error = #expect(throws: NetworkError.self) { try small.transact(complete) }
        #expect(error?.code == .tooLarge)
        #expect(try space.tables() == [])
    }

    // MARK: Ownership

    @Test func nobodyElseRemovesATable() throws {
        try create(table("ours"))
        let other = try space.open().netlink(.netfilter)
        var batch = try NftablesBatch("foreign", nextSequence: other.nextSequence)
        try batch.delete(table("ours"), isLast: true)
        let complete = try batch.finish()
        let error = #expect(throws: NetworkError.self) { try other.transact(complete) }
        #expect(error?.code == .denied)
        try space.run("nft", "flush", "ruleset")
        #expect(try space.tables().map(\.name) == ["ours"])
    }

    @Test func theTableGoesWithItsSocket() throws {
        do {
            let short = try space.open().netlink(.netfilter)
            var batch = try NftablesBatch("test", nextSequence: short.nextSequence)
            try batch.create(table("ours"), isLast: true)
            try short.transact(try batch.finish())
            #expect(try space.tables().map(\.name) == ["ours"])
        }
        let gone = try eventually(within: .seconds(2)) { try space.tables().isEmpty }
        #expect(gone.holds)
    }

    /// Why every socket is closed on exec, and why nothing may fork without exec while a fault is live.
    @Test func everyDuplicateOfTheSocketKeepsTheTable() throws {
        var copy: CInt = -1
        do {
            let short = try space.open().netlink(.netfilter)
            var batch = try NftablesBatch("test", nextSequence: short.nextSequence)
            try batch.create(table("ours"), isLast: true)
            try short.transact(try batch.finish())
            copy = fcntl(short.descriptor, F_DUPFD_CLOEXEC, 3)
            try #require(copy >= 0)
        }
        usleep(100_000)
        #expect(try space.tables().map(\.name) == ["ours"])
        close(copy)
        let gone = try eventually(within: .seconds(2)) { try space.tables().isEmpty }
        #expect(gone.holds)
    }

    @Test func aTableIsReplacedByAnotherOfItsNameInOneBatch() throws {
        try create(table("ours"))
        var batch = try NftablesBatch("test", nextSequence: socket.nextSequence)
        try batch.delete(table("ours"), isLast: false)
        let other = table("ours", rules: [[.counter]])
        try batch.create(other, isLast: true)
        try socket.transact(try batch.finish())
        #expect(try space.tables().map(\.name) == ["ours"])
        #expect(try NftablesReader.counters(of: other, socket) == Counted())
        #expect(try space.run("nft", "list", "table", "inet", "ours").contains("tcp flags") == false)
    }

    @Test func aChildThatIsStartedDoesNotKeepTheTable() throws {
        #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    // MARK: Rights and places

    /// Between a census and the visit Docker may let one go, and leaves the file that it was mounted on.
    @Test func aFileThatWasANamespaceIsAnsweredAsOneThatIsGone() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("", to: "netns")
        for path in [path, "\(folder.path)/none"] {
            do throws(NetworkError) {
                _ = try NetworkNamespace(path: path)
                Issue.record("it is none")
            } catch {
                #expect(error.code == .notFound, "\(error)")
            }
        }
    }

    @Test func aSocketBelongsToTheNamespaceItWasAskedFor() throws {
        let names = try NamespaceReader.links(try space.open().netlink(.route)).map(\.name)
        #expect(names.contains("lo"))
        #expect(!names.contains("docker0"))
        // The thread that asked has not moved.
        let own = try NetworkNamespace(path: "/proc/thread-self/ns/net").identity
        #expect(own == (try NetworkNamespace(path: "/proc/self/ns/net").identity))
        #expect(own != (try space.open().identity))
    }

    @Test func queueingDisciplinesOfTheKernelHaveNoHandle() throws {
        let qdiscs = try NamespaceReader.qdiscs(try space.open().netlink(.route))
        #expect(qdiscs.allSatisfy { $0.handle == 0 && $0.kind == "noqueue" })
        #expect(!qdiscs.isEmpty)
    }
}
