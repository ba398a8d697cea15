import Basics
import Experiment
import Testing

@testable import AWS

/// The least policy of an experiment: its actions, on its resources, under conditions where AWS has them.
@Suite struct AccessPolicyTests {
    private func policy(_ steps: String, rest: String = "") throws -> AccessPolicy {
        AccessPolicy(try PolicyFixture.experiment(steps, rest: rest), AccessPolicy.Facts(account: "123456789012"))
    }

    /// A step, and one line for each action and resource; `A:` is `arn:aws:`, `:H:` the region and the account.
    private static let steps: [(step: String, lines: String)] = [
        (
            "- {fault: aurora.failover, target: orders}",
            """
            rds:DescribeDBClusters on *
            rds:FailoverDBCluster on A:rds:H:cluster:orders
            """
        ),
        (
            "- {fault: rds.reboot, target: ledger-db}",
            """
            rds:DescribeDBInstances on *
            rds:RebootDBInstance on A:rds:H:db:* if StringEquals aws:ResourceTag/app = ledger
            """
        ),
        (
            "- {fault: aurora.global-switchover, target: shop}",
            """
            rds:DescribeGlobalClusters on *
            rds:SwitchoverGlobalCluster on A:rds:*:123456789012:cluster:*
            rds:SwitchoverGlobalCluster on A:rds::123456789012:global-cluster:shop
            """
        ),
        (
            "- {fault: ec2.stop, target: one, duration: 5m}",
            """
            ec2:DescribeInstances on *
            ec2:StartInstances on A:ec2:H:instance/i-0a
            ec2:StopInstances on A:ec2:H:instance/i-0a
            """
        ),
        (
            "- {fault: ec2.terminate, target: web}",
            "ec2:DescribeInstances on *\nec2:TerminateInstances on A:ec2:H:instance/* if "
                + "StringEquals ec2:AvailabilityZone = eu-west-1a; StringEquals ec2:ResourceTag/app = web"
        ),
        (
            "- {fault: ecs.stop-task, target: web-task}",
            """
            ecs:DescribeTasks on A:ecs:H:task/shop/* if ArnEquals ecs:cluster = A:ecs:H:cluster/shop
            ecs:ListTasks on * if ArnEquals ecs:cluster = A:ecs:H:cluster/shop
            ecs:StopTask on A:ecs:H:task/shop/* if ArnEquals ecs:cluster = A:ecs:H:cluster/shop
            """
        ),
        (
            """
            - {fault: route53.health-check, health-check: 0a1b, duration: 5m}
            """,
            """
            route53:GetHealthCheck on A:route53:::healthcheck/0a1b
            route53:UpdateHealthCheck on A:route53:::healthcheck/0a1b
            """
        ),
        (
            "- {fault: fis.experiment, template: EXT1, region: eu-west-1}",
            """
            fis:GetExperiment on A:fis:H:experiment/*
            fis:GetExperimentTemplate on A:fis:H:experiment-template/EXT1
            fis:GetSafetyLever on A:fis:H:safety-lever/*
            fis:ListExperiments on *
            fis:StartExperiment on A:fis:H:experiment-template/EXT1
            fis:StartExperiment on A:fis:H:experiment/*
            fis:StopExperiment on A:fis:H:experiment/*
            fis:TagResource on A:fis:H:experiment/*
            """
        ),
    ]

    @Test(arguments: steps.indices)
    func aStepMayDoWhatItDoesAndNoMore(index: Int) throws {
        let (step, lines) = Self.steps[index]
        let expected = lines.replacing(":H:", with: ":eu-west-1:123456789012:").replacing("A:", with: "arn:aws:")
        #expect(PolicyFixture.lines(try policy(step)).sorted().joined(separator: "\n") == expected)
    }

    @Test func aWeightMayBeChangedOfOneRecordOnly() throws {
        let made = try policy(
            """
            - {fault: route53.weight, hosted-zone: /hostedzone/Z1, record: "*.Api.example.com.", set-identifier: a,
               weight: 0, duration: 5m}
            """)
        let change = try #require(
            made.document["Statement"]?.array?.first {
                texts($0["Action"]) == ["route53:ChangeResourceRecordSets"]
            })
        #expect(texts(change["Resource"]) == ["arn:aws:route53:::hostedzone/Z1"])
        let keys = change["Condition"]?["ForAllValues:StringEquals"]
        let prefix = "route53:ChangeResourceRecordSets"
        #expect(texts(keys?[prefix + "Actions"]) == ["UPSERT"])
        #expect(texts(keys?[prefix + "NormalizedRecordNames"]) == ["\\052.api.example.com"])
        #expect(texts(keys?[prefix + "RecordTypes"]) == ["A"])
        #expect(PolicyFixture.lines(made).contains("route53:GetChange on arn:aws:route53:::change/*"))
    }

    @Test func aCommandIsAllowedForItsDocumentsOnItsInstances() throws {
        let made = try policy(
            "- {fault: ssm.run-command, target: web, undo-document: Mine, undo-parameters: {a: b}}")
        let lines = PolicyFixture.lines(made).filter { $0.hasPrefix("ssm:SendCommand") }
        #expect(
            lines == [
                "ssm:SendCommand on arn:aws:ssm:eu-west-1:*:document/AWS-RunShellScript",
                "ssm:SendCommand on arn:aws:ssm:eu-west-1:123456789012:document/Mine",
                "ssm:SendCommand on arn:aws:ec2:eu-west-1:123456789012:instance/* if StringEquals "
                    + "ssm:resourceTag/app = web",
            ])
        #expect(made.gaps.contains { $0.reason.hasPrefix("AWS has no condition on the zone") })
    }

    @Test func onlyOurOwnNetworkACLMayBeDeleted() throws {
        let lines = PolicyFixture.lines(
            try policy("- {fault: network-acl.isolate, target: zone-a, duration: 5m}"))
        let acl = "arn:aws:ec2:eu-west-1:123456789012:network-acl/*"
        #expect(lines.contains("ec2:DeleteNetworkAcl on \(acl) if StringLike ec2:ResourceTag/squall = squall-*"))
        #expect(lines.contains("ec2:CreateTags on \(acl) if StringEquals ec2:CreateAction = CreateNetworkAcl"))
        #expect(
            lines.contains(
                "ec2:ReplaceNetworkAclAssociation on arn:aws:ec2:eu-west-1:123456789012:subnet/* if StringEquals "
                    + "ec2:AvailabilityZone = eu-west-1a"))
    }

    @Test func theCallsThatAWSMakesInOurNameAreAllowed() throws {
        let lines = PolicyFixture.lines(try policy("- {fault: elasticache.test-failover, target: sessions}"))
        #expect(
            lines.contains(
                "elasticache:TestFailover on arn:aws:elasticache:eu-west-1:123456789012:replicationgroup:sessions"))
        #expect(lines.contains("ec2:CreateNetworkInterface on *"))
    }

    @Test func aProbeMayReadWhatItReads() throws {
        let made = try policy(
            "  []",
            rest: """
                probes:
                  alarms: {type: cloudwatch.alarm, alarms: [errors], region: eu-west-1}
                """)
        #expect(PolicyFixture.lines(made) == ["cloudwatch:DescribeAlarms on *"])
        #expect(made.isNeeded)
    }

    @Test func anExperimentWithoutAWSNeedsNone() throws {
        #expect(!AccessPolicy(try FISFixture.experiment("title: t\nmethod: []\n")).isNeeded)
    }
}
