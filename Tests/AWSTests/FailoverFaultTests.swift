import AWSSupport
import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// `aurora.failover` when AWS, or the way there, does not do what it says: never a pass, and never a second failover.
@Suite struct FailoverFaultTests {
    private func effect(
        _ cloud: CloudServer, to target: String? = nil, within patience: Span = .seconds(6)
    ) async throws -> Effect {
        var diagnostics = Diagnostics()
        let node = Node.mapping(Node.Mapping([], at: Location(file: "t", line: 1, column: 1)))
        let fault = try #require(
            ParameterReader.read(node, AuroraFailoverFault.parameters, into: &diagnostics) {
                AuroraFailoverFault(from: &$0)
            })
        let context = try cloud.context(run: "failover")
        var undo = try await fault.prepare(
            ResourceType.auroraCluster.target("app", region: "us-east-1"), in: context)
        undo.timeout = patience
        undo.target = target
        return try await fault.inject(undo, in: context)
    }

    @Test(arguments: [("never", nil), ("refused", nil), ("wrong-target", "pg-3")] as [(String, String?)])
    func whatWasAcceptedAndNotDoneIsUnproven(behaviour: String, target: String?) async throws {
        let cloud = try CloudServer()
        try await cloud.set(["aurora-failover": .string(behaviour)])
        let effect = try await effect(cloud, to: target)
        guard case .unproven = effect else {
            Issue.record("\(effect)")
            return
        }
        #expect(try await cloud.count("FailoverDBCluster") == 1)
    }

    @Test(
        arguments: [
            ["action": .string("FailoverDBCluster"), "drop": .string("after")],
            [
                "action": .string("DescribeDBClusters"), "after": .integer(1), "times": .integer(4),
                "status": .integer(503), "body": .string("<html><body>Service Unavailable</body></html>"),
            ],
            [
                "action": .string("DescribeDBClusters"), "after": .integer(1), "times": .integer(4),
                "status": .integer(400), "code": .string("Throttling"),
            ],
        ] as [[String: JSONValue]])
    func aLostAnswerAndLooksThatFailDoNotHideAFailover(rule: [String: JSONValue]) async throws {
        let cloud = try CloudServer()
        try await cloud.spoil(rule)
        let effect = try await effect(cloud, within: .seconds(30))
        guard case .confirmed(_, let evidence) = effect else {
            Issue.record("\(effect)")
            return
        }
        #expect(evidence.contains("pg-1 wrote"), "\(evidence)")
        #expect(try await cloud.count("FailoverDBCluster") == 1)
    }
}

/// Heals that AWS does not let through at once.
@Suite struct IsolationHealTests {
    /// A group is in use for some seconds after the last interface has let go of it.
    @Test func aGroupThatIsStillInUseIsALeftoverAndGoesWithTheNextTry() async throws {
        let cloud = try CloudServer()
        let context = try cloud.context(run: "isolation")
        var diagnostics = Diagnostics()
        let node = Node.mapping(Node.Mapping([], at: Location(file: "t", line: 1, column: 1)))
        let fault = try #require(
            ParameterReader.read(node, SecurityGroupIsolateFault.parameters, into: &diagnostics) {
                SecurityGroupIsolateFault(from: &$0)
            })
        let target = ResourceType.computeInstance.target("i-0a000000000000001", region: "us-east-1")
        let undo = try await fault.prepare(target, in: context)
        _ = try await fault.inject(undo, in: context)
        try await cloud.spoil([
            "action": .string("DeleteSecurityGroup"), "status": .integer(400), "code": .string("DependencyViolation"),
        ])
        try await SecurityGroupIsolateFault.heal(undo, in: context)
        #expect(try await SecurityGroupIsolateFault.leftover(of: undo, in: context) != nil)
        try await SecurityGroupIsolateFault.heal(undo, in: context)
        #expect(try await SecurityGroupIsolateFault.leftover(of: undo, in: context) == nil)
    }
}
