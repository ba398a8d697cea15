import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// Which rights are missing, and what the user is told.
@Suite struct CapabilityTests {
    @Test(arguments: [
        ("000001ffffffffff", []), ("0000000000000000", ["CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"]),
        ("000001ffffffefff", ["CAP_NET_ADMIN"]),
        ("00000000a80425fb", ["CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"]),
    ])
    func theMissingOnesAreNamed(bits: String, names: [String]) {
        #expect(Capabilities.missing(in: "Name:\tx\nCapEff:\t\(bits)\nCapBnd:\t000001ffffffffff\n") == names)
    }
}

/// The same for real: the test runs itself once more without the right to change networks.
@Suite(.enabled(if: isRoot, needsRoot)) struct WithoutCapabilityTests {
    private static let order = "SQUALL_TEST_POWERLESS"

    @Test func withoutTheRightNothingIsTouchedAndTheCommandThatGrantsItIsNamed() async throws {
        if let order = getenv(Self.order) { return try await Self.tryTo(String(cString: order)) }
        let fixture = try BlockFixture()
        let text = try ChildProcess.run(
            [
                "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "env",
                "\(Self.order)=\(fixture.pair.a.pid) \(fixture.pair.b.pid)", try OwnerDeathTests.program(),
                "--testing-library", "swift-testing", "--filter", "WithoutCapabilityTests",
            ])
        #expect(text.contains("squall lacks CAP_NET_ADMIN"), "\(text)")
        #expect(text.contains("sudo setcap cap_net_admin+ep"), "\(text)")
        #expect(try fixture.pair.a.tables() == [])
    }

    private static func tryTo(_ order: String) async throws {
        let pids = order.split(separator: " ").compactMap { Int32($0) }
        try #require(pids.count == 2)
        let fixture = try BlockFixture(TestPair(a: TestNamespace(of: pids[0]), b: TestNamespace(of: pids[1])))
        let start = SystemTimeSource().now
        let identity = try fixture.identity(fixture.pair.a)
        do throws(NetworkError) {
            _ = try await fixture.kernel.look(at: identity)
            Issue.record("the namespace was looked at without CAP_NET_ADMIN")
        } catch {
            print(FaultError("look at the network", on: "a", error))
        }
        #expect(SystemTimeSource().now - start < .seconds(1))
    }
}
