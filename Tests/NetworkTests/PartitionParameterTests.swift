import Basics
import Contracts
import Docker
import Experiment
import Testing

@testable import Network

/// What a file may say about a partition, and what is refused before anything is looked at.
@Suite struct PartitionParameterTests {
    private static let place = Location(file: "t", line: 1, column: 1)

    private func findings(_ entries: [(String, Node)]) -> [String] {
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init(entries.map { .init($0.0, at: Self.place, $0.1) }, at: Self.place))
        _ = ParameterReader.read(node, NetworkPartitionFault.parameters, into: &diagnostics) {
            NetworkPartitionFault(from: &$0)
        }
        return diagnostics.all.map(\.message)
    }

    @Test func everythingHasADefault() throws {
        let fault = try partition()
        #expect(fault.settings.direction == .both)
        #expect(fault.settings.mode == .drop)
        #expect(fault.settings.traffic == Traffic())
    }

    @Test(arguments: ["0", "65536", "90-80", "80-", "-80", "http", "80-90-100", "+80"])
    func whatIsNoPortIsRefused(text: String) {
        #expect(findings([("ports", words(text))]).first?.hasPrefix("expected a port from 1 to 65535") == true)
    }

    @Test func whatContradictsItselfIsRefused() {
        #expect(findings([("ports", words("80")), ("protocols", words("icmp"))]) == ["ICMP has no ports"])
        #expect(
            findings([("mode", word("reject-tcp")), ("protocols", words("udp"))]) == [
                "reject-tcp resets TCP connections, and protocols leaves TCP out"
            ])
        let many = Node.sequence((1...17).map { word("\($0)") }, Self.place)
        #expect(findings([("ports", many)]) == ["at most 16 ports or ranges"])
    }

    @Test func anAddressWithAZoneIsRefusedWithTheReason() {
        var diagnostics = Diagnostics()
        let node = Node.mapping(.init([.init("list", at: Self.place, words("fe80::1%eth0"))], at: Self.place))
        _ = ParameterReader.read(node, AddressTargetSource.parameters, into: &diagnostics) {
            AddressTargetSource(from: &$0)
        }
        #expect(diagnostics.all.map(\.notes) == [["leave the zone out: it names an interface of this machine"]])
    }

    private func findings(method step: String) -> [String] {
        let file = """
            title: t
            targets:
              a: {docker: {names: [a]}}
              b: {addresses: {list: [192.0.2.1]}}
            method:
              - {fault: network.partition, \(step)}
            """
        var registry = DockerKinds.registry
        registry.add(NetworkKinds.registry)
        let loader = ExperimentLoader(
            catalog: registry.catalog, environment: [:], files: .memory(["e.yaml": file]), currentFolder: "/")
        // That nothing is judged, and that a target is not used, is no concern of this test.
        let all = loader.load("e.yaml").diagnostics.all.map(\.message)
        return all.filter { !$0.hasPrefix("no criteria") && !$0.hasSuffix("is used by no step") }
    }

    @Test(arguments: [
        ("between: {a: a, b: b}", nil), ("target: a, topology: halves, seed: 4", nil),
        ("target: a, with: {topology: ring}", nil), ("target: a", "missing 'topology'"),
        ("mode: drop", "missing 'between'"),
        ("between: {a: a, b: b}, topology: ring", "'topology' divides one group, and the sides are named here"),
        ("between: {a: a, b: b}, target: a, topology: ring", "between two sides or within one group, not both"),
        ("between: {a: a, b: a}", "both sides are 'a'"), ("between: {a: a, b: b}, seed: 1", "seed chooses sides"),
        ("target: a, topology: ring, direction: to", "'ring' has no two sides"),
        ("target: a, topology: one-way, direction: from", "'one-way' is a direction already"),
        ("target: a, topology: star", "isolate-one"),
        ("target: a, topology: halves, duration: 0s", "a fault that lasts 0s does nothing"),
    ])
    func aStepNamesTwoSidesOrOneGroupAndHowItIsDivided(step: String, problem: String?) {
        let found = findings(method: step)
        if let problem {
            #expect(found.contains { $0.contains(problem) }, "\(found)")
        } else {
            #expect(found == [])
        }
    }

    @Test func trafficIsSaidInWords() throws {
        let ports = [try #require(PortRange(parsing: "80")), try #require(PortRange(parsing: "8000-8010"))]
        #expect(Traffic().summary == "all traffic")
        #expect(Traffic(protocols: [.tcp]).summary == "tcp")
        #expect(Traffic(ports: ports).summary == "tcp, udp port 80, 8000-8010")
    }
}
