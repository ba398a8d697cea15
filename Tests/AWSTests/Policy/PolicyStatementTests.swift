import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// How permissions become statements, and that no permission of a fault or a probe is forgotten.
@Suite struct PolicyStatementTests {
    private static let needs = [
        PolicyNeed(action: "rds:FailoverDBCluster", resources: ["arn:a"]),
        PolicyNeed(action: "rds:FailoverDBCluster", resources: ["arn:b"]),
        PolicyNeed(action: "rds:StopDBCluster", resources: ["arn:b", "arn:a"]),
        PolicyNeed(action: "rds:DescribeDBClusters", resources: ["*"]),
        PolicyNeed(action: "rds:DescribeDBClusters", resources: ["arn:a"]),
        PolicyNeed(action: "ec2:DescribeInstances", resources: ["*"]),
        PolicyNeed(
            action: "rds:StopDBCluster", resources: ["arn:a"],
            conditions: [PolicyCondition(test: "StringEquals", key: "aws:ResourceTag/a", values: ["b"])]),
    ]

    @Test func needsAreJoinedWhereThatAllowsNothingMore() {
        let statements = PolicyStatement.merged(Self.needs)
        #expect(statements.map(\.sid) == ["Ec2RdsRead", "RdsChange", "RdsChange2"])
        #expect(
            statements.map(\.actions) == [
                ["ec2:DescribeInstances", "rds:DescribeDBClusters"], ["rds:FailoverDBCluster", "rds:StopDBCluster"],
                ["rds:StopDBCluster"],
            ])
        #expect(statements.map(\.resources) == [["*"], ["arn:a", "arn:b"], ["arn:a"]])
        #expect(statements.map(\.conditions.count) == [0, 0, 1])
    }

    @Test func theOrderOfNeedsChangesNothing() {
        var generator = SeededGenerator(seed: 1)
        let first = PolicyStatement.merged(Self.needs)
        for _ in 0..<20 { #expect(PolicyStatement.merged(Self.needs.shuffled(using: &generator)) == first) }
    }

    @Test func conditionsOfOneKindStandTogether() {
        let json = PolicyStatement(
            sid: "S", actions: ["a:B"], resources: ["*"],
            conditions: [
                PolicyCondition(test: "StringEquals", key: "k", values: ["v"]),
                PolicyCondition(test: "StringEquals", key: "l", values: ["w"]),
            ]
        ).json
        #expect(json["Condition"]?["StringEquals"]?.object?.count == 2)
        #expect(json["Effect"] == .string("Allow"))
    }

    @Test(arguments: [
        ("api.example.com", "api.example.com"), ("API.Example.com.", "api.example.com"),
        ("*.example.com", "\\052.example.com"), ("a b.example.com", "a\\040b.example.com"), ("_srv.x", "_srv.x"),
    ])
    func recordNamesAreThoseThatRoute53Compares(name: String, normalized: String) {
        #expect(PolicyWriter.normalized(name) == normalized)
    }

    /// The example of each fault's manual, which names targets that the fixture declares.
    @Test(arguments: AWSKinds.registry.faults.map { $0.kind })
    func everyPrivilegeOfEveryFaultHasAScope(kind: String) throws {
        let fault = try #require(AWSKinds.registry.fault(kind))
        let experiment = try PolicyFixture.experiment(fault.manual.example)
        let steps = PolicySubject.all(in: experiment).filter { $0.name.hasPrefix("step ") }
        #expect(steps.count == 1)
        for action in steps.flatMap(\.actions) {
            #expect(PolicyScope.ofAction[action] != nil, "\(action) of \(kind)")
        }
        #expect(!steps.flatMap(\.actions).isEmpty)
        let late = AccessPolicy(experiment).gaps.filter { $0.reason.hasPrefix("nobody has written down") }
        #expect(late == [])
    }

    @Test func everyProbeOfAWSHasItsPrivileges() {
        for probe in AWSKinds.registry.probes {
            let declaration = Declaration(
                name: "p", kind: probe.kind, parameters: Node(.object([:]), at: Location(file: "", line: 1, column: 1)),
                location: Location(file: "", line: 1, column: 1))
            let actions = ProbePrivileges.actions(of: declaration)
            #expect(actions != nil, "\(probe.kind)")
            for action in actions ?? [] { #expect(PolicyScope.ofAction[action] != nil, "\(action)") }
        }
    }
}
