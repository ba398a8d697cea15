import Basics
import Experiment
import Testing

@testable import AWS

/// The order of an exported template: FIS waits for ends, so what begins earlier needs waits.
@Suite struct FISOrderingTests {
    /// Action → what it starts after; a wait is shown with its length.
    private func order(_ steps: String) throws -> [String: String] {
        let experiment = try FISFixture.experiment(
            """
            title: a drill
            targets: {web: {aws: {type: ec2-instance, tags: {app: web}, region: us-east-1}}}
            method:
            \(steps)
            """)
        let made = FISExport(experiment, original: nil, roleARN: nil)
        #expect(made.obstacles == [])
        let actions = FISTemplate(document: made.template.document).actions
        let pairs = actions.map { action in
            let length = action.isWait ? " for \(action.parameters["duration"]?.string ?? "")" : ""
            return (action.name, action.startAfter.joined(separator: ",") + length)
        }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func stepsThatFollowEachOtherStartAfterEachOther() throws {
        #expect(
            try order(
                """
                - {name: a, fault: ec2.reboot, target: web}
                - {name: b, fault: ec2.reboot, target: web}
                """) == ["a": "", "b": "a"])
    }

    @Test func aDelayIsAWait() throws {
        #expect(
            try order(
                """
                - {name: a, fault: ec2.reboot, target: web}
                - {name: b, fault: ec2.reboot, target: web, delay: 2m}
                """) == ["a": "", "wait-before-b": "a for PT2M", "b": "wait-before-b"])
    }

    @Test func aDelayUntilTheFaultBeforeIsOverIsNoWait() throws {
        #expect(
            try order(
                """
                - {name: a, fault: ec2.stop, target: web, duration: 5m}
                - {name: b, fault: ec2.reboot, target: web, delay: 5m}
                """) == ["a": "", "b": "a"])
    }

    @Test func whatBeginsWhileAFaultLastsIsCountedFromWhatWasBeforeIt() throws {
        #expect(
            try order(
                """
                - {name: a, fault: ec2.stop, target: web, duration: 5m}
                - {name: b, fault: ec2.reboot, target: web}
                - {name: c, fault: ec2.reboot, target: web, delay: 2m}
                - {name: d, fault: ec2.reboot, target: web, start-after: [a], delay: 3m}
                """) == [
                    "a": "", "b": "", "wait-before-c": "b for PT2M", "c": "wait-before-c",
                    "wait-before-d": " for PT3M", "d": "wait-before-d",
                ])
    }

    @Test func whatWaitsForSeveralStartsAfterAllThatAreOver() throws {
        #expect(
            try order(
                """
                - {name: a, fault: ec2.reboot, target: web, start-after: []}
                - {name: b, fault: ec2.stop, target: web, start-after: [], duration: 5m}
                - {name: c, fault: ec2.reboot, target: web, start-after: [a, b], delay: 6m}
                """) == ["a": "", "b": "", "wait-before-c": "a,b for PT1M", "c": "wait-before-c"])
    }

    @Test func aStepThatFISCannotDoIsStillTimeThatPasses() throws {
        let experiment = try FISFixture.experiment(
            """
            title: a drill
            targets: {web: {aws: {type: ec2-instance, tags: {app: web}, region: us-east-1}}}
            method:
              - {name: a, fault: ec2.reboot, target: web}
              - {name: b, fault: security-group.isolate, target: web, delay: 2m, duration: 1m}
              - {name: c, fault: ec2.reboot, target: web, delay: 1m}
            """)
        let made = FISExport(experiment, original: nil, roleARN: nil)
        #expect(made.obstacles.map(\.name) == ["b"])
        let actions = FISTemplate(document: made.template.document).actions
        #expect(actions.map(\.name) == ["a", "c", "wait-before-c"])
        #expect(actions[2].startAfter == ["a"])
        #expect(actions[2].length == .minutes(3))
    }
}
