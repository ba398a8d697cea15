import Basics
import Contracts
import Docker
import Experiment
import Glibc
import TestSupport
import Testing

@testable import Network

/// network.dns on real containers: their own libc asks Docker's own name server.
@Suite(.serialized, .enabled(if: getenv("SQUALL_LAB") != nil, "needs an engine and root: SQUALL_LAB=1"))
struct NameLabTests {
    private func fault(_ parameters: [(String, Node)]) throws -> NetworkDNSFault {
        let place = Location(file: "test", line: 1, column: 1)
        let entries = parameters.map { Node.Entry($0.0, at: place, $0.1) }
        var diagnostics = Diagnostics()
        let fault = ParameterReader.read(
            .mapping(.init(entries, at: place)), NetworkDNSFault.parameters, into: &diagnostics
        ) { NetworkDNSFault(from: &$0) }
        return try #require(fault, "\(diagnostics.all.map(\.message))")
    }

    /// What getent(1) of the container says of a name; over TCP when glibc is told so.
    private func lookUp(
        _ name: String, in container: Target, _ fixture: PartitionFixture, overTCP: Bool = false
    ) async throws -> String {
        let options = overTCP ? "use-vc timeout:1 attempts:1" : "timeout:1 attempts:1"
        let execution = Execution(["timeout", "3", "getent", "ahostsv4", name], environment: ["RES_OPTIONS": options])
        let result = try await fixture.engine.execute(
            execution, in: container.name, until: fixture.context.time.now + .seconds(20))
        let text = String(decoding: result.output.standardOutput, as: UTF8.self)
        return text.split(separator: " ").first.map(String.init) ?? "exit \(result.exitCode)"
    }

    private func address(of container: Target, _ fixture: PartitionFixture) async throws -> String {
        let details = try await fixture.engine.inspect(container.name)
        return try #require(
            details.document["NetworkSettings"]?["Networks"]?[fixture.network]?["IPAddress"]?.string)
    }

    @Test(arguments: ["drop", "nxdomain", "wrong-answer"])
    func aContainersOwnProgramsMissTheNameAndNoOther(mode: String) async throws {
        try await withContainers { fixture in
            let (a, b, c) = (
                try await fixture.container(), try await fixture.container(), try await fixture.container()
            )
            let (truth, other) = (try await address(of: b, fixture), try await address(of: c, fixture))
            #expect(try await lookUp(b.name, in: a, fixture) == truth)
            let lie: [(String, Node)] = mode == "wrong-answer" ? [("addresses", words("10.66.66.66"))] : []
            let fault = try fault([("mode", word(mode)), ("names", words(b.name))] + lie)
            let undo = try await fault.prepare(a, in: fixture.context)
            #expect(undo.servers.map(\.description) == ["127.0.0.11"])
            #expect(try await NetworkDNSFault.leftover(of: undo, in: fixture.context) == nil)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .confirmed(_, let evidence) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(evidence.hasPrefix("127.0.0.11 answered '\(b.name)' with \(truth) before"), "\(evidence)")
            for overTCP in [false, true] {
                let found = try await lookUp(b.name, in: a, fixture, overTCP: overTCP)
                // glibc waits for an answer over TCP for ever: the program is ended, then.
                let misses = mode == "drop" ? ["exit 2", "exit 124"] : ["exit 2"]
                let expected = mode == "wrong-answer" ? ["10.66.66.66"] : misses
                #expect(expected.contains(found), "over TCP: \(overTCP), found \(found)")
                #expect(try await lookUp(c.name, in: a, fixture, overTCP: overTCP) == other, "over TCP: \(overTCP)")
            }
            // Nobody else is hit.
            #expect(try await lookUp(b.name, in: c, fixture) == truth)
            #expect(try await NetworkDNSFault.leftover(of: undo, in: fixture.context) != nil)
            for _ in 1...2 {
                try await NetworkDNSFault.heal(undo, in: fixture.context)
                #expect(try await NetworkDNSFault.leftover(of: undo, in: fixture.context) == nil)
                #expect(try await lookUp(b.name, in: a, fixture) == truth)
            }
        }
    }

    @Test func allNamesAreLateWhenNoneIsNamedAndAnotherProcessSeesIt() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let fault = try fault([("mode", word("delay")), ("delay", word("300ms"))])
            let undo = try await fault.prepare(a, in: fixture.context)
            guard case .confirmed = try await fault.inject(undo, in: fixture.context) else {
                Issue.record("no effect was shown")
                return
            }
            let truth = try await address(of: b, fixture)
            let start = fixture.context.time.now
            #expect(try await lookUp(b.name, in: a, fixture) == truth)
            #expect(fixture.context.time.now - start >= .milliseconds(300))
            let error = await #expect(throws: FaultError.self) { try await fault.prepare(a, in: fixture.context) }
            #expect(error?.code == .inUse)
            #expect(error?.advice.isEmpty == false)
            let other = try fixture.elsewhere()
            try await NetworkDNSFault.heal(undo, in: other)
            #expect(try await NetworkDNSFault.leftover(of: undo, in: other)?.commands.first == "kill \(getpid())")
            try await NetworkDNSFault.heal(undo, in: fixture.context)
            #expect(try await NetworkDNSFault.leftover(of: undo, in: other) == nil)
        }
    }

    @Test func aContainerThatRestartsMissesTheNameAgain() async throws {
        try await withContainers { fixture in
            let (a, b) = (try await fixture.container(), try await fixture.container())
            let truth = try await address(of: b, fixture)
            let fault = try fault([("mode", word("nxdomain")), ("names", words(b.name))])
            let undo = try await fault.prepare(a, in: fixture.context)
            try await fixture.following {
                _ = try await fault.inject(undo, in: fixture.context)
                #expect(try await lookUp(b.name, in: a, fixture) == "exit 2")
                try await fixture.engine.restart(a.name, timeout: .zero)
                _ = try await fixture.note("\(a.name) runs again: network.dns is on it again, after a gap of")
                for overTCP in [false, true] {
                    #expect(try await lookUp(b.name, in: a, fixture, overTCP: overTCP) == "exit 2", "\(overTCP)")
                }
                try await NetworkDNSFault.heal(undo, in: fixture.context)
                #expect(try await lookUp(b.name, in: a, fixture) == truth)
                #expect(try await NetworkDNSFault.leftover(of: undo, in: try fixture.elsewhere()) == nil)
            }
        }
    }

    @Test func aContainerThatIsRemovedCountsAsHealed() async throws {
        try await withContainers { fixture in
            let a = try await fixture.container()
            let fault = try fault([("mode", word("servfail"))])
            let undo = try await fault.prepare(a, in: fixture.context)
            _ = try await fault.inject(undo, in: fixture.context)
            try await fixture.engine.remove(a.name)
            try await NetworkDNSFault.heal(undo, in: fixture.context)
            #expect(try await NetworkDNSFault.leftover(of: undo, in: fixture.context) == nil)
        }
    }

    @Test func aNameThatNobodyKnewProvesNothing() async throws {
        try await withContainers { fixture in
            let a = try await fixture.container()
            let fault = try fault([("mode", word("nxdomain")), ("names", words("*.invalid"))])
            let undo = try await fault.prepare(a, in: fixture.context)
            let effect = try await fault.inject(undo, in: fixture.context)
            guard case .unproven(let reason) = effect else {
                Issue.record("\(effect)")
                return
            }
            #expect(reason.contains("check: with a name"), "\(reason)")
            try await NetworkDNSFault.heal(undo, in: fixture.context)
        }
    }

    @Test func whatHasNoNameServerOrNoNetworkOfItsOwnIsRefused() async throws {
        try await withContainers { fixture in
            let machine = try await fixture.container(network: "host")
            let fault = try fault([("mode", word("drop"))])
            let error = await #expect(throws: FaultError.self) { try await fault.prepare(machine, in: fixture.context) }
            #expect(error?.description.contains("the machine's own network") == true, "\(String(describing: error))")
            let nowhere = Target(id: "x", name: "x", attributes: [:])
            await #expect(throws: FaultError.self) { try await fault.prepare(nowhere, in: fixture.context) }
        }
    }
}
