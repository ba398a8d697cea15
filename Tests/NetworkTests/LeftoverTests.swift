import Basics
import Contracts
import Glibc
import TestSupport
import Testing

@testable import Network

/// What `squall leftovers` finds in the kernel.
@Suite(.enabled(if: isRoot, needsRoot)) struct LeftoverTests {
    private func plant(_ name: String, comment: String, _ socket: NetlinkSocket) throws {
        var batch = try NftablesBatch("plant", nextSequence: socket.nextSequence)
        try batch.create(
            NftablesTable(
                family: .inet, name: name, comment: comment, sets: [],
                chains: [.init(name: "in", hook: .input, rules: [[.counter]])]), isLast: true)
        try socket.transact(try batch.finish())
    }

    private func found(_ name: String) throws -> [String?] {
        let scan = try NetworkTables.scan(NamespaceCensus(), prefix: "test_")
        #expect(scan.failure == nil)
        return scan.marks.filter { $0.leftover.description.contains(name) }.map(\.run)
    }

    @Test func aTableOfOursIsFoundWhereverItIsAndNoneOfSomebodyElse() throws {
        let space = try TestNamespace()
        let socket = try space.open().netlink(.netfilter)
        let name = "test_leftover_\(getpid())"
        #expect(try found(name) == [])
        try plant(name, comment: "squall run r-1", socket)
        try plant("\(name)_other", comment: "somebody else", socket)
        #expect(try found(name) == ["r-1"])
    }

    @Test func aNamespaceWithoutAProcessIsLookedInto() throws {
        let space = "squall-test-\(getpid())"
        try ChildProcess.run(["ip", "netns", "add", space])
        defer { _ = try? ChildProcess.run(["ip", "netns", "delete", space]) }
        let name = "test_empty_\(getpid())"
        do {
            let socket = try NetworkNamespace(path: "/run/netns/\(space)").netlink(.netfilter)
            try plant(name, comment: "squall run r-2", socket)
            #expect(try found(name) == ["r-2"])
        }
        let gone = try eventually(within: .seconds(2)) { try found(name).isEmpty }
        #expect(gone.holds)
    }
}
