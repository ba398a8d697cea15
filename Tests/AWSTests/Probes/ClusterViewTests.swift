import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// What looks at clusters and groups leave in the history and on the timeline.
@Suite struct ClusterViewTests {
    private func states(_ samples: [StateSample]) -> [String] {
        samples.map { "\($0.node) \($0.state) \($0.detail)" }
    }

    @Test func aMemberIsWhatItsFlagSaysAndOneThatIsGoneIsUnreachable() throws {
        let cluster = try ProbeFixture.cluster("failing-over", [("orders-1", false), ("orders-2", true)])
        let samples = ClusterView(cluster: cluster).samples(
            "p", known: ["orders-1", "orders-3"], sent: ProbeFixture.instant(1), end: ProbeFixture.instant(2))
        #expect(
            states(samples) == [
                "orders-1 replica failing-over", "orders-2 primary failing-over", "orders-3 unreachable not listed",
            ])
        #expect(samples.allSatisfy { $0.identity == "arn:c" && $0.sent < $0.end })
    }

    @Test func noWriterAndSeveralAreNone() throws {
        let none = ClusterView(cluster: try ProbeFixture.cluster("failing-over", [("a", false)]))
        let both = ClusterView(cluster: try ProbeFixture.cluster("available", [("a", true), ("b", true)]))
        #expect(none.writer == nil && none.writers == [])
        #expect(both.writer == nil && both.writers == ["a", "b"])
    }

    @Test func eachChangeIsNewsOnce() throws {
        var notes = ChangeNotes()
        func news(_ status: String, _ members: [(String, Bool)], _ endpoint: String = "e") throws -> [String] {
            ClusterView(cluster: try ProbeFixture.cluster(status, members, endpoint: endpoint)).news(&notes)
        }
        #expect(
            try news("available", [("a", true), ("b", false)]) == [
                "cluster orders is available", "the writer of orders is a", "the writer endpoint of orders is e:5432",
            ])
        #expect(try news("available", [("a", true), ("b", false)]) == [])
        #expect(
            try news("failing-over", [("a", false), ("b", false)]) == [
                "cluster orders is failing-over (was available)", "the writer of orders is nobody (was a)",
            ])
        #expect(
            try news("failing-over", [("a", true), ("b", true)]) == ["the writer of orders is a and b (was nobody)"])
        #expect(
            try news("available", [("a", false), ("b", true)], "f") == [
                "cluster orders is available (was failing-over)", "the writer of orders is b (was a and b)",
                "the writer endpoint of orders is f:5432 (was e:5432)",
            ])
    }

    @Test func whatIsAsUsualNeedsNoWord() {
        var notes = ChangeNotes()
        func news(_ value: String) -> String? { notes.news("rds", value, unless: "answered") }
        #expect(news("answered") == nil)
        #expect(news("silent") == "rds is silent (was answered)")
        #expect(news("silent") == nil)
        #expect(news("answered") == "rds is answered (was silent)")
    }

    @Test func preflightTellsWhatWouldSpoilTheRun() throws {
        let cluster = try ProbeFixture.cluster("modifying", [("a", false)], engine: "aurora-mysql")
        let state = AuroraClusterProbe.findings(on: cluster, probe: "p")
        #expect(state.map(\.severity) == [.warning, .warning])
        let names = AuroraClusterProbe.findings(on: ["a", "z"], of: cluster, usesSQL: false, probe: "p")
        #expect(names.map(\.severity) == [.error, .error])
        #expect(names.map(\.message).first == "probe p: z is no member of cluster orders")
        let right = try ProbeFixture.cluster("available", [("A-1", true)], engine: "aurora-postgresql")
        #expect(AuroraClusterProbe.findings(on: right, probe: "p") == [])
        #expect(AuroraClusterProbe.findings(on: ["a-1"], of: right, usesSQL: true, probe: "p") == [])
    }

    @Test func anInstanceIsATargetWithItsTagsOnceItWasSeen() throws {
        let known = KnownInstances()
        #expect(known.target("a") == nil)
        known.see(["a"])
        #expect(known.target("a") == nil && known.hasStrangers)
        known.take(region: "us-east-1")
        #expect(known.target("a")?.id == "aws:us-east-1:rds-instance:a")
        #expect(known.target("b") == nil)
        known.take(tagsOf: [
            DatabaseInstance(
                try ProbeFixture.xml(
                    "<DBInstance><DBInstanceIdentifier>a</DBInstanceIdentifier><TagList><Tag><Key>keep</Key>"
                        + "<Value>yes</Value></Tag></TagList></DBInstance>"))
        ])
        known.see(["a"])
        #expect(known.target("a")?.labels == ["keep": "yes"] && !known.hasStrangers)
        known.see(["b"])
        known.settle()
        #expect(known.target("b")?.labels == [:] && !known.hasStrangers)
        #expect(known.target("b")?.attributes == [.databaseInstance: "b", .awsRegion: "us-east-1"])
    }

    // MARK: Replication groups

    private func group(_ status: String, _ nodes: [(String, String?)], failover: String = "enabled") throws
        -> ReplicationGroup
    {
        let members = nodes.map { name, role in
            "<NodeGroupMember><CacheClusterId>\(name)</CacheClusterId>"
                + (role.map { "<CurrentRole>\($0)</CurrentRole>" } ?? "") + "</NodeGroupMember>"
        }
        return ReplicationGroup(
            try ProbeFixture.xml(
                "<ReplicationGroup><ReplicationGroupId>cache</ReplicationGroupId><ARN>arn:g</ARN>"
                    + "<Status>\(status)</Status><AutomaticFailover>\(failover)</AutomaticFailover><NodeGroups><NodeGroup>"
                    + "<NodeGroupId>0001</NodeGroupId><Status>\(status)</Status><PrimaryEndpoint><Address>pe</Address>"
                    + "</PrimaryEndpoint><NodeGroupMembers>\(members.joined())</NodeGroupMembers></NodeGroup></NodeGroups>"
                    + "</ReplicationGroup>"))
    }

    @Test func aGroupsNodesHaveTheirRolesAndInClusterModeNone() throws {
        let view = GroupView(group: try group("modifying", [("cache-001", "replica"), ("cache-002", "primary")]))
        let samples = view.samples(
            "p", known: ["cache-003"], sent: ProbeFixture.instant(1), end: ProbeFixture.instant(2))
        #expect(
            states(samples) == [
                "cache-001 replica modifying", "cache-002 primary modifying", "cache-003 unreachable not listed",
            ])
        #expect(!view.isAvailable)
        let sharded = GroupView(group: try group("available", [("cache-0001-001", nil)]))
        #expect(
            states(sharded.samples("p", known: [], sent: ProbeFixture.instant(1), end: ProbeFixture.instant(2))) == [
                "cache-0001-001 member available"
            ])
        #expect(sharded.isAvailable)
    }

    @Test func aGroupsChangesAreNews() throws {
        var notes = ChangeNotes()
        func news(_ group: ReplicationGroup) -> [String] { GroupView(group: group).news(&notes) }
        let before = try group("available", [("a", "primary"), ("b", "replica")])
        #expect(
            news(before) == [
                "replication group cache is available", "the primary of cache is a",
                "the primary endpoint of cache is pe",
            ])
        let after = try group("modifying", [("a", "replica"), ("b", "primary")], failover: "disabling")
        #expect(
            news(after) == [
                "replication group cache is modifying (was available)", "the primary of cache is b (was a)",
                "automatic failover of cache is disabling (was enabled)",
            ])
        #expect(news(after) == [])
    }
}
