import Basics
import Experiment
import Testing

@testable import AWS

/// A template of FIS as an experiment: what each action becomes, when it starts, and what is refused.
@Suite struct FISImportTests {
    private func step(_ action: String) throws -> DrillStep {
        let made = FISImport(try FISFixture.template("\"a\": \(action)"))
        #expect(made.unmapped == [])
        _ = try FISFixture.experiment(made.text(templateFile: nil))
        return try #require(made.drill.steps.first)
    }

    @Test func stoppedInstancesComeBackWhenTheStepHeals() throws {
        let step = try step(
            """
            {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"},
             "parameters": {"startInstancesAfterDuration": "PT5M"}}
            """)
        #expect(step == DrillStep(name: "a", fault: "ec2.stop", target: "web", duration: .minutes(5)))
    }

    @Test(arguments: [
        ("aws:ec2:reboot-instances", "Instances", "web", "ec2.reboot"),
        ("aws:ec2:terminate-instances", "Instances", "web", "ec2.terminate"),
        ("aws:rds:failover-db-cluster", "Clusters", "orders", "aurora.failover"),
        ("aws:rds:reboot-db-instances", "DBInstances", "ledger", "rds.reboot"),
        ("aws:ecs:stop-task", "Tasks", "tasks", "ecs.stop-task"),
    ])
    func anActionWithoutParametersIsAFaultWithoutAny(action: String, role: String, target: String, fault: String) throws
    {
        let step = try step("{\"actionId\": \"\(action)\", \"targets\": {\"\(role)\": \"\(target)\"}}")
        #expect(step == DrillStep(name: "a", fault: fault, target: target))
    }

    @Test func aForcedFailoverIsAskedForByName() throws {
        let step = try step(
            """
            {"actionId": "aws:rds:reboot-db-instances", "targets": {"DBInstances": "ledger"},
             "parameters": {"forceFailover": "true"}}
            """)
        #expect(step.parameters == ["force-failover": .string("true")])
    }

    @Test func aCommandTakesItsDocumentsParametersAsLists() throws {
        let step = try step(
            """
            {"actionId": "aws:ssm:send-command", "targets": {"Instances": "web"}, "parameters": {
              "documentArn": "arn:aws:ssm:us-east-1:123456789012:document/Mine", "duration": "PT90S",
              "documentParameters": "{\\"commands\\": [\\"a: b\\", \\"${x}\\"], \\"n\\": 5, \\"on\\": \\"True\\"}"}}
            """)
        #expect(step.fault == "ssm.run-command")
        #expect(step.duration == nil)
        #expect(
            step.parameters == [
                "document": .string("arn:aws:ssm:us-east-1:123456789012:document/Mine"), "timeout": .string("1m30s"),
                "parameters": .object([
                    "commands": .array([.string("a: b"), .string("${x}")]), "n": .array([.string("5")]),
                    "on": .array([.string("True")]),
                ]),
            ])
    }

    @Test func aCutZoneIsANetworkACL() throws {
        let step = try step(
            """
            {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "zone"},
             "parameters": {"duration": "PT10M", "scope": "all"}}
            """)
        #expect(step == DrillStep(name: "a", fault: "network-acl.isolate", target: "zone", duration: .minutes(10)))
    }

    @Test func aWiderCutThanFISMakesIsNoted() throws {
        let made = FISImport(
            try FISFixture.template(
                """
                "a": {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "zone"},
                      "parameters": {"duration": "PT10M", "scope": "availability-zone"}}
                """))
        #expect(made.unmapped == [])
        #expect(
            made.notes == ["a: scope availability-zone cuts traffic with other zones; network-acl.isolate cuts all"])
    }

    @Test(arguments: [
        (
            "{\"actionId\": \"aws:ecs:task-cpu-stress\", \"targets\": {\"Tasks\": \"tasks\"}}",
            "Squall has no such fault; fis.experiment runs the template as it is"
        ),
        (
            "{\"actionId\": \"aws:ssm:start-automation-execution\"}",
            "Squall has no such fault; ssm.run-command runs command documents only"
        ),
        ("{\"actionId\": \"aws:ec2:reboot-instances\"}", "it names no target as Instances"),
        (
            "{\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"orders\"}}",
            "its target is a aurora-cluster, and ec2.reboot acts on a ec2-instance"
        ),
        (
            """
            {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "zone"},
             "parameters": {"duration": "PT5M", "scope": "s3"}}
            """, "scope 's3' cuts some traffic, and network-acl.isolate cuts all"
        ),
        (
            """
            {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"},
             "parameters": {"startInstancesAfterDuration": "5 minutes"}}
            """, "startInstancesAfterDuration is no length of time as FIS writes them (PT5M)"
        ),
        (
            """
            {"actionId": "aws:ssm:send-command", "targets": {"Instances": "web"},
             "parameters": {"documentArn": "arn:aws:ssm:us-east-1::document/AWS-RunShellScript",
                            "documentParameters": "{\\"x\\": {\\"y\\": 1}}"}}
            """, "parameter 'x' of the document is no list of texts"
        ),
        (
            "{\"actionId\": \"aws:ssm:send-command\", \"targets\": {\"Instances\": \"web\"}}", "it names no document"
        ),
    ])
    func whatHasNoCounterpartIsNamedWithTheReason(action: String, reason: String) throws {
        let made = FISImport(try FISFixture.template("\"a\": \(action)"))
        #expect(made.unmapped.map(\.reason) == [reason])
        #expect(made.drill.steps == [])
    }

    @Test func anActionWithoutAStepIsACommentWithAllItSaid() throws {
        let made = FISImport(
            try FISFixture.template(
                """
                "go": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web"}},
                "odd": {"actionId": "aws:new:thing", "parameters": {"x": "y\\nmethod: []"}}
                """))
        let text = made.text(templateFile: "drill.fis.json")
        #expect(text.contains("# NOT IMPORTED  odd (aws:new:thing): Squall has no such fault"))
        #expect(text.contains("#     \"parameters\": {"))
        #expect(text.contains("# drill.fis.json is the template itself"))
        #expect(try FISFixture.experiment(text).method.map(\.name) == ["go"])
    }

    @Test func parametersThatNothingStandsForAreNoted() throws {
        let made = FISImport(try FISTemplate(parsing: FISFixture.everything))
        #expect(made.unmapped == [])
        #expect(made.notes.contains("stop: parameter 'completeIfInstancesTerminated' has no counterpart here"))
        #expect(made.notes.contains("stress: parameter 'documentVersion' has no counterpart here"))
    }

    @Test func aTemplateWithoutAlarmsIsSaidToHaveNone() throws {
        let made = FISImport(
            try FISTemplate(
                parsing: """
                    {"actions": {"w": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}},
                     "stopConditions": [{"source": "none"}]}
                    """))
        #expect(made.notes == ["the template has no alarm that stops it: add stop-conditions"])
        #expect(try FISFixture.experiment(made.text(templateFile: nil)).stopConditions.isEmpty)
    }

    @Test func optionsThatSquallHasNotAreNoted() throws {
        let made = FISImport(
            try FISFixture.template(
                "\"a\": {\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"web\"}}",
                rest: """
                    , "experimentOptions": {
                      "accountTargeting": "multi-account", "emptyTargetResolutionMode": "skip"
                    }
                    """))
        #expect(
            made.notes == [
                "FIS skips an action whose target is empty; Squall does not inject the step and says so",
                "the template is for multi-account; Squall acts in the account of its credentials only",
            ])
    }

    @Test func namesThatAFileCannotHoldAreMadeOnesThatItCan() throws {
        let reboot = "{\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"web\"}}"
        let made = FISImport(
            try FISFixture.template("\"1/x\": \(reboot), \"a/b\": \(reboot), \"a?b\": \(reboot), \"é\": \(reboot)"))
        #expect(Set(made.drill.steps.map(\.name)) == ["step-1-x", "a-b", "a-b-2", "step--"])
        #expect(made.actionNames["a-b-2"] == "a?b")
        _ = try FISFixture.experiment(made.text(templateFile: nil))
    }

    @Test func whatTheWholeTemplateSaysStandsInTheFile() throws {
        let made = FISImport(try FISTemplate(parsing: FISFixture.everything))
        let experiment = try FISFixture.experiment(made.text(templateFile: nil))
        #expect(experiment.title == "zone loss")
        #expect(experiment.description == "Zone us-east-1a goes.\nThen the rest.")
        #expect(
            experiment.stopConditions.map { "\($0.probe) \($0.when) for \($0.holdFor)" } == [
                "alarms alarms >= 1 for 0s"
            ])
        let (drill, obstacles) = Drill.read(experiment)
        #expect(obstacles == [])
        #expect(drill == made.drill)
    }
}
