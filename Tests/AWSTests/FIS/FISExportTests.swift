import Basics
import Experiment
import Testing

@testable import AWS

/// An experiment as a template of FIS: what it says, and what FIS cannot do.
@Suite struct FISExportTests {
    private func action(_ method: String) throws -> JSONValue {
        let made = try FISExportFixture.export(method)
        #expect(made.obstacles == [])
        return try #require(made.template.document["actions"]?["a"])
    }

    @Test(arguments: [
        (
            "{name: a, fault: ec2.stop, target: web, duration: 5m}",
            """
            {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"},
             "parameters": {"startInstancesAfterDuration": "PT5M"}}
            """
        ),
        (
            "{name: a, fault: ec2.reboot, target: web, timeout: 1m}",
            "{\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"web\"}}"
        ),
        (
            "{name: a, fault: ec2.terminate, target: tagged}",
            "{\"actionId\": \"aws:ec2:terminate-instances\", \"targets\": {\"Instances\": \"tagged\"}}"
        ),
        (
            "{name: a, fault: aurora.failover, target: orders}",
            "{\"actionId\": \"aws:rds:failover-db-cluster\", \"targets\": {\"Clusters\": \"orders\"}}"
        ),
        (
            "{name: a, fault: rds.reboot, target: ledger, force-failover: true}",
            """
            {"actionId": "aws:rds:reboot-db-instances", "targets": {"DBInstances": "ledger"},
             "parameters": {"forceFailover": "true"}}
            """
        ),
        (
            "{name: a, fault: ecs.stop-task, target: tasks}",
            "{\"actionId\": \"aws:ecs:stop-task\", \"targets\": {\"Tasks\": \"tasks\"}}"
        ),
        (
            "{name: a, fault: network-acl.isolate, target: zone, duration: 90s}",
            """
            {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "zone"},
             "parameters": {"duration": "PT1M30S", "scope": "all"}}
            """
        ),
        (
            "{name: a, fault: ssm.run-command, target: web, parameters: {commands: ls, n: [1]}}",
            """
            {"actionId": "aws:ssm:send-command", "targets": {"Instances": "web"}, "parameters": {
              "documentArn": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", "duration": "PT2M",
              "documentParameters": "{\\"commands\\":[\\"ls\\"],\\"n\\":\\"1\\"}"}}
            """
        ),
        (
            "{name: a, fault: ssm.run-command, target: web, document: Mine, timeout: 10s}",
            """
            {"actionId": "aws:ssm:send-command", "targets": {"Instances": "web"}, "parameters": {
              "documentArn": "arn:aws:ssm:eu-west-1:123456789012:document/Mine", "duration": "PT1M"}}
            """
        ),
    ])
    func everyFaultThatFISHasIsItsAction(step: String, json: String) throws {
        #expect(try action(step) == JSONValue(parsing: json))
    }

    @Test(arguments: [
        ("{name: a, fault: ec2.stop, target: web}", "it has no duration, and FIS would not end it: write one"),
        (
            "{name: a, fault: ec2.stop, target: web, duration: 30s}",
            "30s is nothing FIS can last: whole seconds, from 1m to 12h"
        ),
        ("{name: a, fault: ec2.stop, target: web, duration: 5m, force: true}", "'force' has no counterpart in FIS"),
        ("{name: a, fault: aurora.failover, target: orders, to: orders-2}", "'to' has no counterpart in FIS"),
        (
            "{name: a, fault: ssm.run-command, target: web, undo-document: AWS-RunShellScript}",
            "'undo-document' has no counterpart in FIS"
        ),
        ("{name: a, fault: security-group.isolate, target: web, duration: 5m}", "FIS has no such action"),
        (
            "{name: a, fault: fis.experiment, template: EXT1}",
            "it starts a template of its own, and FIS nests none"
        ),
        (
            "{name: a, fault: ec2.reboot, target: elsewhere}",
            "its target is in us-east-1, and a template is of one region, here eu-west-1"
        ),
        (
            "{name: a, fault: ec2.reboot, target: many}",
            "FIS takes 5 resources by ARN in one target: select them by a tag"
        ),
        ("{name: a, fault: ec2.reboot, target: both}", "FIS selects by ARNs or by tags, and this target by both"),
        (
            "{name: a, fault: ec2.reboot, target: some}",
            "FIS draws no number of targets at random: use fixed or fixed-percent"
        ),
        (
            "{name: a, fault: network-acl.isolate, target: zone-only, duration: 5m}",
            "FIS selects by ARNs or by tags: a zone alone is not enough for it"
        ),
        (
            "{name: a, fault: ec2.reboot, target: web, delay: 10s}",
            "it starts 10s after the first, and FIS waits whole seconds, from 1m to 12h"
        ),
    ])
    func whatFISCannotDoIsNamedWithTheReason(step: String, reason: String) throws {
        let made = try FISExportFixture.export(step)
        #expect(made.obstacles.map(\.reason) == [reason])
        #expect(!made.hasActions)
        #expect(made.template.document["targets"] == .object([:]))
    }
}
