import Basics
import Experiment
import Testing

@testable import AWS

/// Which resources a target selects, in both forms. What selects fewer must never be lost on the way.
@Suite struct FISTargetTests {
    private func read(_ text: String) throws -> WrittenTarget {
        try FISTargetMap.target(try JSONValue(parsing: text), region: "us-east-1")
    }

    private func refusal(_ text: String) -> String? {
        do {
            let target = try read(text)
            Issue.record("accepted: \(target)")
            return nil
        } catch {
            return (error as? FISReason)?.text
        }
    }

    @Test(arguments: [
        ("ALL", SelectionMode.all), ("COUNT(1)", .one), ("COUNT(3)", .fixed(3)),
        ("PERCENT(25)", .fixedPercent(Share(fraction: 0.25))),
    ])
    func everySelectionModeHasACounterpart(text: String, mode: SelectionMode) throws {
        #expect(try FISTargetMap.mode(text) == mode)
        var target = WrittenTarget(type: .computeInstance)
        target.tags = ["a": "b"]
        target.mode = mode
        #expect(try FISTargetMap.json(target, FISPlace())["selectionMode"] == .string(text))
    }

    @Test(arguments: [
        "", "SOME", "COUNT", "COUNT(0)", "COUNT(x)", "PERCENT(101)", "PERCENT(0)", "COUNT(2", "COUNT(1)(2)",
    ])
    func anUnknownSelectionModeIsRefused(text: String) {
        #expect(throws: FISReason.self) { try FISTargetMap.mode(text) }
    }

    @Test func tagsAndAZoneAreReadTogether() throws {
        let target = try read(
            """
            {"resourceType": "aws:ec2:instance", "resourceTags": {"app": "web", "x": ""}, "selectionMode": "ALL",
             "filters": [{"path": "Placement.AvailabilityZone", "values": ["us-east-1a"]},
                         {"path": "State.Name", "values": ["running"]}]}
            """)
        #expect(target.tags == ["app": "web", "x": ""])
        #expect(target.zone == "us-east-1a")
        #expect(target.region == "us-east-1")
    }

    @Test func theRegionOfARNsIsTheTargets() throws {
        let target = try read(
            """
            {"resourceType": "aws:ec2:instance", "selectionMode": "ALL",
             "resourceArns": ["arn:aws:ec2:eu-west-1:123456789012:instance/i-1"]}
            """)
        #expect(target.region == nil)
        #expect(target.writtenRegion == "eu-west-1")
    }

    @Test func theClusterOfTasksIsThatOfTheirARNs() throws {
        let target = try read(
            """
            {"resourceType": "aws:ecs:task", "selectionMode": "ALL",
             "resourceArns": ["arn:aws:ecs:us-east-1:123456789012:task/shop/0a1b"]}
            """)
        #expect(target.cluster == "shop")
    }

    @Test(arguments: [
        ("{\"resourceType\": \"aws:eks:pod\"}", "its target is of a type that Squall has not (aws:eks:pod)"),
        (
            """
            {"resourceType": "aws:ec2:instance", "resourceTags": {"a": "b"},
             "filters": [{"path": "VpcId", "values": ["vpc-1"]}]}
            """, "its target has a filter on VpcId, and without that it would hit more"
        ),
        (
            """
            {"resourceType": "aws:ec2:instance", "resourceTags": {"a": "b"},
             "filters": [{"path": "State.Name", "values": ["running", "stopped"]}]}
            """, "its target has a filter on State.Name, and without that it would hit more"
        ),
        (
            """
            {"resourceType": "aws:rds:cluster", "resourceTags": {"a": "b"},
             "parameters": {"writerAvailabilityZoneIdentifiers": "us-east-1a"}}
            """, "its target has the parameter writerAvailabilityZoneIdentifiers, and without that it would hit more"
        ),
        (
            """
            {"resourceType": "aws:ec2:subnet", "resourceTags": {"a": "b"},
             "filters": [{"path": "AvailabilityZone", "values": ["us-east-1a", "us-east-1b"]}]}
            """, "its target is in several zones, and a target here is in one: split it"
        ),
        (
            """
            {"resourceType": "aws:ec2:subnet", "resourceTags": {"a": "b"},
             "parameters": {"availabilityZoneIdentifier": "use1-az1"}}
            """, "its target names a zone by its identifier (use1-az1), and Squall by its name (us-east-1a)"
        ),
        (
            "{\"resourceType\": \"aws:ecs:task\", \"resourceTags\": {\"a\": \"b\"}}",
            "its target names no cluster, and Squall finds tasks by theirs"
        ),
        ("{\"resourceType\": \"aws:ec2:instance\"}", "its target selects nothing in particular"),
        (
            "{\"resourceType\": \"aws:ec2:instance\", \"resourceArns\": [\"arn:aws:rds:us-east-1:1:db:x\"]}",
            "'arn:aws:rds:us-east-1:1:db:x' is no ARN of a ec2-instance"
        ),
        (
            """
            {"resourceType": "aws:ec2:instance", "resourceArns": [
              "arn:aws:ec2:us-east-1:1:instance/i-1", "arn:aws:ec2:us-east-2:1:instance/i-2"]}
            """, "its target is in several regions, and a target here is in one"
        ),
        (
            "{\"resourceType\": \"aws:ec2:instance\", \"resourceTags\": {\"a\": \"b\"}, \"selectionMode\": \"FEW\"}",
            "its target's selectionMode 'FEW' is none of ALL, COUNT(n) and PERCENT(n)"
        ),
    ])
    func aSelectionThatCannotBeKeptIsRefused(text: String, reason: String) {
        #expect(refusal(text) == reason)
    }
}
