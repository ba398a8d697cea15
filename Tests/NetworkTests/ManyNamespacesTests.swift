import Basics
import Contracts
import Glibc
import Process
import TestSupport
import Testing

@testable import Network

/// A partition over many namespaces at once: how long its steps take, and that a dead owner leaves none of it.
@Suite(.enabled(if: isRoot, needsRoot)) struct ManyNamespacesTests {
    private static let count = 200

    @Test func twoHundredNamespacesAreCutOffAndLetGoTogether() async throws {
        let spaces = try (0..<Self.count).map { _ in try TestNamespace() }
        let host = try LocalHost()
        let kernel = try LocalNetworkKernel(host: host)
        let peers = (0..<UInt8(10)).map { AddressRange(.version4, [10, 0, 0, 2 * $0]) }
        var members: [NamespaceMember] = []
        for space in spaces {
            let process = try host.process(space.pid)
            members.append(
                NamespaceMember(
                    name: "n\(space.pid)",
                    process: ProcessIdentity(pid: space.pid, startTime: process.startTime, bootID: host.bootID),
                    namespace: try space.open().identity, addresses: []))
        }
        let block = Block(
            mark: "test_many_1", run: "test", traffic: Traffic(), mode: .drop, members: members,
            cuts: members.map { _ in .init(incoming: peers) })
        let time = SystemTimeSource()
        let start = time.now
        try await kernel.install(block.work) { _ in }
        let installed = time.now
        let armed = try await kernel.arm(block.mark)
        for member in [members[0], members[Self.count - 1]] {
            #expect(try await kernel.elements(of: block.mark, in: member) == peers.count)
        }
        let before = time.now
        await kernel.release(block.mark)
        let released = time.now
        for member in members { #expect(try await kernel.elements(of: block.mark, in: member) == nil) }
        // Far above what a free machine takes: these are no measurements, they catch a wait in a loop.
        print(
            "installed in \(installed - start), armed in \(armed.upper - armed.lower), released in \(released - before)"
        )
        #expect(installed - start < .seconds(10))
        #expect(armed.upper - armed.lower < .seconds(2))
        #expect(released - before < .seconds(2))
    }
}
