import Basics
import Experiment
import Testing

@testable import AWS

/// What stands in an exported template beside its actions: targets, stop conditions, description, token.
@Suite struct FISExportContentTests {
    @Test func resourcesNamedByIdGetTheRolesAccount() throws {
        let made = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: web}")
        #expect(
            made.template.document["targets"]?["web"]
                == .object([
                    "resourceType": .string("aws:ec2:instance"), "selectionMode": .string("COUNT(1)"),
                    "resourceArns": .array(
                        ["i-0a", "i-0b"].map { .string("arn:aws:ec2:eu-west-1:123456789012:instance/\($0)") }),
                ]))
        let orders = try FISExportFixture.export("{name: a, fault: aurora.failover, target: orders}")
        #expect(
            texts(orders.template.document["targets"]?["orders"]?["resourceArns"])
                == ["arn:aws:rds:eu-west-1:123456789012:cluster:orders"])
        let task = try FISExportFixture.export("{name: a, fault: ecs.stop-task, target: task}")
        #expect(
            task.template.document["targets"]?["task"]
                == .object([
                    "resourceType": .string("aws:ecs:task"), "selectionMode": .string("ALL"),
                    "resourceArns": .array([.string("arn:aws:ecs:eu-west-1:123456789012:task/shop/0a1b")]),
                ]))
    }

    @Test func withoutAnAccountResourcesNamedByIdCannotBeExported() throws {
        let made = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: web}", role: nil)
        #expect(
            made.obstacles.map(\.reason) == [
                "FIS takes ARNs, and the account is not known: write arns in the target, or give --role-arn"
            ])
        let tagged = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: tagged}", role: nil)
        #expect(tagged.obstacles == [])
        #expect(tagged.template.document["roleArn"] == nil)
        #expect(
            tagged.notes.contains("it has no roleArn, which FIS requires: give --role-arn here, or to the aws command"))
    }

    @Test func tagsAndAZoneBecomeTagsAndAFilter() throws {
        let made = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: tagged}")
        #expect(
            made.template.document["targets"]?["tagged"]
                == .object([
                    "resourceType": .string("aws:ec2:instance"), "selectionMode": .string("ALL"),
                    "resourceTags": .object(["app": .string("web")]),
                    "filters": .array([
                        .object([
                            "path": .string("Placement.AvailabilityZone"), "values": .array([.string("eu-west-1a")]),
                        ])
                    ]),
                ]))
    }

    @Test func alarmsAreItsStopConditionsAndNothingElseCanBe() throws {
        let made = try FISExportFixture.export(
            "{name: a, fault: ec2.reboot, target: tagged}",
            rest: """
                probes:
                  alarms: {type: cloudwatch.alarm, alarms: [errors, latency], region: eu-west-1}
                stop-conditions:
                  - {probe: alarms, when: "alarms >= 1", for: 0s}
                  - {probe: alarms, when: "unreachable >= 1"}
                  - {probe: alarms, when: "alarms >= 2"}
                """)
        let alarms = ["errors", "latency"].map { "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:\($0)" }
        #expect(
            made.template.document["stopConditions"]
                == .array(
                    alarms.map { .object(["source": .string("aws:cloudwatch:alarm"), "value": .string($0)]) }))
        #expect(made.obstacles.map(\.kind) == ["stop condition alarms >= 2"])
    }

    @Test func withoutAlarmsNothingStopsItWhichIsSaid() throws {
        let made = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: tagged}")
        #expect(made.template.document["stopConditions"] == .array([.object(["source": .string("none")])]))
        #expect(made.notes == ["nothing stops it: no stop condition is on an alarm of CloudWatch"])
    }

    @Test func aDescriptionIsCutToWhatFISTakes() throws {
        let experiment = try FISFixture.experiment(
            "title: t\ndescription: \(String(repeating: "x", count: 600))\nmethod: []\n")
        let made = FISExport(experiment, original: nil, roleARN: nil)
        #expect(made.template.document["description"]?.string?.count == 512)
    }

    @Test func theSameExperimentHasTheSameToken() throws {
        let one = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: web}")
        let same = try FISExportFixture.export("{name: a, fault: ec2.reboot, target: web}")
        let other = try FISExportFixture.export("{name: a, fault: ec2.terminate, target: web}")
        #expect(one.template == same.template)
        #expect(one.template.document["clientToken"] != other.template.document["clientToken"])
    }
}
