import Basics
import Experiment
import Testing

@testable import AWS

/// A template that becomes an experiment and then a template again is what it was.
@Suite struct FISRoundTripTests {
    /// The template, by way of an experiment file that `change` may edit.
    private func there(
        _ template: FISTemplate, remembering original: Bool = true, role: String? = nil,
        change: (String) -> String = { $0 }
    ) throws -> FISExport {
        let text = change(FISImport(template).text(templateFile: nil))
        return FISExport(
            try FISFixture.experiment(text), original: original ? template : nil, roleARN: role)
    }

    /// The document but for the token, which a template that FIS answers with has not.
    private func content(_ template: FISTemplate) -> [String: JSONValue] {
        template.writable.document.filter { $0.key != "clientToken" }
    }

    @Test func nothingIsLostOfAnything() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template)
        #expect(made.obstacles == [])
        #expect(made.notes == [])
        #expect(content(made.template) == content(template))
        #expect(made.template.document["clientToken"]?.string?.hasPrefix("squall-") == true)
    }

    @Test func aTokenThatIsWrittenStays() throws {
        let template = try FISFixture.template(
            "\"a\": {\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"web\"}}",
            rest: ", \"clientToken\": \"mine\"")
        #expect(try there(template).template == template)
        let changed = try there(template) { $0.replacing("ec2.reboot", with: "ec2.terminate") }
        #expect(changed.template.document["clientToken"] != .string("mine"))
    }

    @Test func whatFISDoesAndSquallDoesNotStaysInTheTemplate() throws {
        let template = try FISFixture.template(
            """
            "a": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web"}},
            "odd": {"actionId": "aws:new:thing", "parameters": {"duration": "PT3M"}, "startAfter": ["a"]},
            "b": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web"}, "startAfter": ["odd"]}
            """)
        let made = try there(template)
        #expect(content(made.template) == content(template))
        #expect(made.notes == ["action odd stays as it is in the template: no step stands for it"])
    }

    @Test func onlyWhatWasChangedIsChanged() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template) { $0.replacing("force-failover: true", with: "force-failover: false") }
        var expected = content(template)
        var actions = try #require(expected["actions"]?.object)
        var reboot = try #require(actions["reboot-db"]?.object)
        reboot["parameters"] = .object(["forceFailover": .string("false")])
        actions["reboot-db"] = .object(reboot)
        expected["actions"] = .object(actions)
        #expect(content(made.template) == expected)
    }

    @Test func aStepThatIsChangedKeepsWhatOnlyFISKnows() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template) { $0.replacing("timeout: 3m", with: "timeout: 4m") }
        #expect(made.obstacles == [])
        let parameters = made.template.document["actions"]?["stress"]?["parameters"]
        #expect(parameters?["duration"] == .string("PT4M"))
        #expect(parameters?["documentVersion"] == .string("3"))
        #expect(
            made.template.document["actions"]?["stop"]?["parameters"]?["completeIfInstancesTerminated"]
                == .string("true"))
    }

    @Test func aTargetThatIsChangedIsWrittenAnew() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template) { $0.replacing("zone: us-east-1a\n", with: "zone: us-east-1b\n") }
        #expect(made.obstacles == [])
        let filters = made.template.document["targets"]?["web/all"]?["filters"]?.array ?? []
        #expect(filters.map { texts($0["values"]) } == [["us-east-1b"]])
        #expect(made.template.document["targets"]?["orders"] == template.document["targets"]?["orders"])
    }

    @Test func aStepThatStartsAtAnotherTimeMakesTheOrderAnew() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template) { $0.replacing("delay: 2m", with: "delay: 3m") }
        #expect(made.obstacles == [])
        let order = FISOrder(made.template.actions)
        let before = FISOrder(template.actions)
        #expect(made.template.document["actions"]?["wait"] == nil)
        for name in ["stop", "fail-over", "reboot-db", "stop-task"] {
            #expect(order.start(of: name) == before.start(of: name) + .minutes(1), "\(name)")
        }
        #expect(order.start(of: "stress") == before.start(of: "stress"))
    }

    @Test func aStepThatIsGoneIsGoneFromTheTemplate() throws {
        let template = try FISFixture.template(
            """
            "a": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web"}},
            "b": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "orders"}, "startAfter": ["a"]},
            "odd": {"actionId": "aws:new:thing", "startAfter": ["b", "w"]},
            "w": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT3M"}, "startAfter": ["b"]}
            """)
        let made = try there(template) { text in
            text.split(separator: "\n").filter { !$0.contains("name: b,") }.joined(separator: "\n")
        }
        #expect(made.obstacles == [])
        let actions = made.template.actions
        #expect(actions.map(\.name) == ["a", "odd", "w"])
        #expect(actions.map(\.startAfter) == [[], ["a", "w"], ["a"]])
        #expect(made.template.targets["orders"] == nil)
        #expect(made.template.targets["ledger"] != nil)
    }

    @Test func alarmsThatAreChangedAreWrittenAnew() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let made = try there(template) { $0.replacing("[errors, latency]", with: "[errors]") }
        #expect(
            made.template.document["stopConditions"]
                == .array([
                    .object([
                        "source": .string("aws:cloudwatch:alarm"),
                        "value": .string("arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"),
                    ])
                ]))
    }

    @Test func anotherRoleIsTaken() throws {
        let template = try FISTemplate(parsing: FISFixture.everything)
        let role = "arn:aws:iam::123456789012:role/other"
        #expect(try there(template, role: role).template.document["roleArn"] == .string(role))
    }

    @Test func withoutTheOriginalWhatBothSayIsTheSame() throws {
        let template = try FISFixture.template(
            """
            "a": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "web"}},
            "wait-before-b": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT2M"}, "startAfter": ["a"]},
            "b": {"actionId": "aws:rds:failover-db-cluster", "targets": {"Clusters": "orders"},
                  "startAfter": ["wait-before-b"]},
            "c": {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "tasks"}, "startAfter": ["b"]},
            "d": {"actionId": "aws:rds:reboot-db-instances", "targets": {"DBInstances": "ledger"}},
            "e": {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "zone"},
                  "parameters": {"duration": "PT5M", "scope": "all"}},
            "f": {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"}, "startAfter": ["e"],
                  "parameters": {"startInstancesAfterDuration": "PT5M"}}
            """)
        let role = try #require(template.document["roleArn"]?.string)
        let made = try there(template, remembering: false, role: role)
        #expect(made.obstacles == [])
        #expect(content(made.template) == content(template))
    }
}
