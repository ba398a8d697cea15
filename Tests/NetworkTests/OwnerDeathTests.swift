import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// What is left of a block whose owner is killed: nothing, and the kernel sees to it.
///
/// The owner has to be another process: the test runs itself once more as that.
@Suite(.enabled(if: isRoot, needsRoot)) struct OwnerDeathTests {
    /// Set in the owner: the two processes whose networks it has to cut off from each other.
    private static let order = "SQUALL_TEST_CUT"
    private static let armed = "the two are cut off"

    /// Time is exact in the virtual machine; elsewhere the test shares its processor with others.
    private static let limit = getenv("SQUALL_VM") == nil ? Span.seconds(2) : .milliseconds(100)

    @Test func theTrafficIsBackAtOnceAndTheTablesAreGone() async throws {
        if let order = getenv(Self.order) { return try await Self.own(String(cString: order)) }
        let fixture = try BlockFixture()
        let block = try await fixture.block()
        #expect(try await fixture.open(block, .datagram).count == 4)
        let owner = try ChildProcess(
            ["env", "\(Self.order)=\(fixture.pair.a.pid) \(fixture.pair.b.pid)", try Self.program()]
                + ["--testing-library", "swift-testing", "--filter", "OwnerDeathTests"])
        var line = owner.line()
        while let said = line, said != Self.armed { line = owner.line() }
        try #require(line == Self.armed, "the owner ended before it had cut anything off")
        #expect(try await fixture.open(block, .datagram) == [])

        let time = SystemTimeSource()
        let killed = time.now
        kill(owner.pid, SIGKILL)
        while try await fixture.open(block, .datagram, within: .milliseconds(15)).count < 4 {
            try #require(time.now - killed < .seconds(5), "nothing passes after the owner's death")
        }
        let after = time.now - killed
        #expect(after < Self.limit, "after \(after)")
        var info = siginfo_t()
        waitid(P_PID, id_t(owner.pid), &info, WEXITED | WNOWAIT)
        #expect(try fixture.pair.a.tables() == [])
        #expect(try fixture.pair.b.tables() == [])
        print("all four ways were open \(after) after SIGKILL")
    }

    /// Cuts the two off and waits for its end.
    private static func own(_ order: String) async throws {
        let pids = order.split(separator: " ").compactMap { Int32($0) }
        try #require(pids.count == 2)
        let fixture = try BlockFixture(TestPair(a: TestNamespace(of: pids[0]), b: TestNamespace(of: pids[1])))
        try await fixture.install(try await fixture.block())
        // Past every buffer: the one who waits for this line will kill us.
        let text = Array("\n\(armed)\n".utf8)
        try #require(write(STDOUT_FILENO, text, text.count) == text.count)
        try await SystemTimeSource().sleep(for: .seconds(60))
    }

    /// The program that runs these tests.
    static func program() throws -> String {
        var path = [CChar](repeating: 0, count: 4_096)
        let length = try retryingInterrupts("readlink") { readlink("/proc/self/exe", &path, path.count) }
        return String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
