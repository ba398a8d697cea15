import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// What is left of a rate whose owner is killed: full speed at once, and a tree without effect, which the next one removes.
///
/// The owner has to be another process: the test runs itself once more as that.
@Suite(.enabled(if: isRoot, needsRoot)) struct ShapingDeathTests {
    /// Set in the owner: the two processes between whose networks it slows the traffic.
    private static let order = "SQUALL_TEST_SHAPE"
    private static let mark = TreeMark(minor: 0x1234, major: 0xd0de)

    @Test func theTrafficIsAtFullSpeedAndTheNextOneRemovesTheTree() async throws {
        if let order = getenv(Self.order) { return try await Self.own(String(cString: order)) }
        let fixture = try ShapeFixture()
        let free = try fixture.state()
        #expect(try await fixture.throughput() > 20_000_000)
        let owner = try ChildProcess(
            ["env", "\(Self.order)=\(fixture.pair.a.pid) \(fixture.pair.b.pid)", try Self.program()]
                + ["--testing-library", "swift-testing", "--filter", "ShapingDeathTests"])
        var line = owner.line()
        while let said = line, !said.hasPrefix("shaped: ") { line = owner.line() }
        #expect(line?.contains("rate") == true, "\(line ?? "the owner ended early")")
        let slow = try await fixture.throughput()
        #expect(slow < 2_000_000, "\(slow)")

        kill(owner.pid, SIGKILL)
        var info = siginfo_t()
        waitid(P_PID, id_t(owner.pid), &info, WEXITED | WNOWAIT)
        #expect(try fixture.pair.a.tables() == [])
        let fast = try await fixture.throughput()
        #expect(fast > 20_000_000, "\(fast)")
        #expect(try await fixture.control.parts(of: Self.mark).count == 3)

        var undo = try await fixture.undo(mark: "test_shape_death")
        undo.tree = Self.mark
        #expect(try await NetworkRateFault.leftover(of: undo, in: fixture.context) != nil)
        try await NetworkRateFault.heal(undo, in: fixture.context)
        #expect(try await NetworkRateFault.leftover(of: undo, in: fixture.context) == nil)
        #expect(try fixture.state() == free)
        print("\(Int(slow / 1_000)) kbit/s before SIGKILL, \(Int(fast / 1_000)) kbit/s after it")
    }

    /// Slows both ways and waits for its end.
    private static func own(_ order: String) async throws {
        let pids = order.split(separator: " ").compactMap { Int32($0) }
        try #require(pids.count == 2)
        let fixture = try ShapeFixture(TestPair(a: TestNamespace(of: pids[0]), b: TestNamespace(of: pids[1])))
        var undo = try await fixture.undo(mark: "test_shape_death")
        undo.tree = mark
        let fault = try shaping(NetworkRateFault.self, "rate=1mbit direction=both")
        let effect = try await fault.inject(undo, in: fixture.context)
        // Past every buffer: the one who waits for this line will kill us.
        let text = Array("\nshaped: \(effect)\n".utf8)
        try #require(write(STDOUT_FILENO, text, text.count) == text.count)
        try await SystemTimeSource().sleep(for: .seconds(60))
    }

    private static func program() throws -> String {
        var path = [CChar](repeating: 0, count: 4_096)
        let length = try retryingInterrupts("readlink") { readlink("/proc/self/exe", &path, path.count) }
        return String(decoding: path.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
