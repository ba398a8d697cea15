import Basics
import Contracts
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
        #expect(fault.direction == .both)
        #expect(fault.mode == .drop)
        #expect(fault.traffic == Traffic())
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

    @Test func trafficIsSaidInWords() throws {
        let ports = [try #require(PortRange(parsing: "80")), try #require(PortRange(parsing: "8000-8010"))]
        #expect(Traffic().summary == "all traffic")
        #expect(Traffic(protocols: [.tcp]).summary == "tcp")
        #expect(Traffic(ports: ports).summary == "tcp, udp port 80, 8000-8010")
    }
}
