import Basics
import Contracts
import Glibc
import Process
import Synchronization
import TestSupport
import Testing

@testable import Network

/// A fault follows its members: other addresses, other interfaces, another namespace.
@Suite(.enabled(if: isRoot, needsRoot)) struct FollowTests {
    let fixture: BlockFixture

    init() throws {
        fixture = try BlockFixture()
    }

    private var notes: [String] { fixture.notes.list.withLock { $0 } }

    /// Of the datagrams from a to b at these addresses, those that arrive.
    private func arriving(_ block: Block, at addresses: [String]) async throws -> [String] {
        let paths = addresses.compactMap { AddressRange(parsing: $0) }.map {
            ProbePath(from: 0, to: 1, address: $0, method: .datagram)
        }
        let open = try await fixture.kernel.passing(paths, of: block.members, within: .milliseconds(300))
        return open.sorted().map { addresses[$0] }
    }

    private func note(_ text: String) async throws {
        let time = SystemTimeSource()
        let deadline = time.now + .seconds(3)
        while !notes.contains(where: { $0.contains(text) }) {
            try #require(time.now < deadline, "no note of '\(text)': \(notes)")
            try await time.sleep(for: .milliseconds(2))
        }
    }

    @Test(arguments: [("10.9.0.3/24", "10.9.0.3"), ("fd09::3/64", "fd09::3")])
    func anAddressThatAMemberGetsIsCutOffToo(added: String, address: String) async throws {
        let (a, b) = (fixture.pair.a, fixture.pair.b)
        let block = try await fixture.block(intoB: false)
        try await fixture.install(block)
        // Into a nothing may come from b: a second address of b is another sender to a.
        try b.run("ip", "addr", "add", added, "dev", "eth0", address.contains(":") ? "nodad" : "noprefixroute")
        try await note("b has the addresses")
        let port = try DatagramSink(in: a, address.contains(":") ? .version6 : .version4)
        try b.run("sh", "-c", port.command(from: address, to: address.contains(":") ? "fd09::1" : "10.9.0.1"))
        #expect(port.received(within: .milliseconds(300)) == 0)
        await fixture.kernel.release(block.mark)
        try b.run("sh", "-c", port.command(from: address, to: address.contains(":") ? "fd09::1" : "10.9.0.1"))
        #expect(port.received(within: .seconds(2)) == 1)
    }

    @Test func anInterfaceThatComesLaterIsGuardedToo() async throws {
        let (a, b) = (fixture.pair.a, fixture.pair.b)
        // Everything leaves a towards outsiders, on whatever interface, and is stopped there.
        var block = try await fixture.block(intoA: false, intoB: false)
        block.cuts[0].outgoing = ["10.0.0.0/8", "fd00::/8"].compactMap { AddressRange(parsing: $0) }
        try await fixture.install(block)
        try ChildProcess.run([
            "ip", "link", "add", "eth1", "netns", "\(a.pid)", "type", "veth", "peer", "name", "eth1", "netns",
            "\(b.pid)",
        ])
        for (space, end) in [(a, "1"), (b, "2")] {
            try space.run("ip", "addr", "add", "10.8.0.\(end)/24", "dev", "eth1")
            try space.run("ip", "link", "set", "eth1", "up")
        }
        try await note("a has the interfaces eth0, eth1")
        #expect(try await arriving(block, at: ["10.8.0.2", "10.9.0.2", "fd09::2"]) == [])
        // The other way was never cut.
        #expect(try await fixture.open(block, .datagram) == ["b4", "b6"])
        await fixture.kernel.release(block.mark)
        #expect(try await arriving(block, at: ["10.8.0.2", "10.9.0.2", "fd09::2"]).count == 3)
    }

    @Test func aMemberThatComesBackInAnotherNamespaceGetsTheFaultAgain() async throws {
        var block = try await fixture.block()
        block.members[1].container = "b-id"
        try await fixture.install(block)
        #expect(try await fixture.open(block, .datagram) == [])
        fixture.pair.b.kill()
        try await note("b ended")
        #expect(await fixture.kernel.missing().map(\.container) == ["b-id"])

        let cable = try eventually(within: .seconds(3)) {
            try !fixture.pair.a.run("ip", "-o", "link", "show").contains("eth0")
        }
        try #require(cable.holds, "the end of the cable in a outlives the namespace of b")
        // The same container, started again: another process, another namespace, another address.
        let again = try TestNamespace()
        try ChildProcess.run([
            "ip", "link", "add", "eth0", "netns", "\(again.pid)", "type", "veth", "peer", "name", "eth0", "netns",
            "\(fixture.pair.a.pid)",
        ])
        for (space, end) in [(fixture.pair.a, "1"), (again, "7")] {
            try space.run("ip", "addr", "replace", "10.9.0.\(end)/24", "dev", "eth0")
            try space.run("ip", "link", "set", "eth0", "up")
        }
        let facts = try await fixture.kernel.look(at: try fixture.identity(again))
        let member = NamespaceMember(
            name: "b", container: "b-id", process: try fixture.identity(again), namespace: facts.identity,
            addresses: facts.addresses)
        let time = SystemTimeSource()
        block.members[1] = member
        #expect(try await arriving(block, at: ["10.9.0.7"]) == ["10.9.0.7"])
        let start = time.now
        try await fixture.kernel.bring(member, startedAt: start)
        #expect(notes.last == "b runs again")
        #expect(await fixture.kernel.missing() == [])
        #expect(try await arriving(block, at: ["10.9.0.7"]) == [])
        #expect(try await fixture.kernel.places(of: block.mark).contains("/proc/\(again.pid)/ns/net"))
        await fixture.kernel.release(block.mark)
        #expect(try await arriving(block, at: ["10.9.0.7"]) == ["10.9.0.7"])
        #expect(try again.tables() == [])
        #expect(!notes.contains { $0.contains("did not come back") })
    }
}

/// Counts datagrams that come to a socket in a namespace.
private final class DatagramSink {
    private let socket: ProbeSocket

    init(in space: TestNamespace, _ family: AddressFamily) throws {
        socket = try ProbeSocket(SOCK_DGRAM, family, in: try space.open())
        try socket.bindAnywhere(family)
    }

    /// A shell command that sends one datagram; bash knows UDP, and the source address is chosen by a route.
    func command(from source: String, to target: String) -> String {
        let version = target.contains(":") ? "-6" : "-4"
        let length = target.contains(":") ? "128" : "32"
        return """
            ip \(version) route replace \(target)/\(length) dev eth0 src \(source) &&
            bash -c 'echo x > /dev/udp/\(target)/\(socket.port)'
            """
    }

    func received(within limit: Span) -> Int {
        var count = 0
        let time = SystemTimeSource()
        let deadline = time.now + limit
        while count == 0,
            !readyDescriptors([socket.descriptor.number], for: POLLIN, within: deadline - time.now).isEmpty
        {
            var byte: UInt8 = 0
            if recv(socket.descriptor.number, &byte, 1, 0) > 0 { count += 1 }
        }
        return count
    }
}
