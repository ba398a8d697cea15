import Basics
import Experiment
import Testing

@testable import AWS

/// When steps start: FIS waits for ends, Squall for effects, and both have one timeline.
@Suite struct FISOrderTests {
    private static let reboot = "\"actionId\": \"aws:ec2:reboot-instances\", \"targets\": {\"Instances\": \"web\"}"
    private static let stop = """
        "actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"},
        "parameters": {"startInstancesAfterDuration": "PT5M"}
        """

    private static func wait(_ duration: String) -> String {
        "\"actionId\": \"aws:fis:wait\", \"parameters\": {\"duration\": \"\(duration)\"}"
    }

    /// Step → `start-after` and `delay`.
    private func starts(_ actions: String) throws -> [String: String] {
        let made = FISImport(try FISFixture.template(actions))
        let pairs = made.drill.steps.map { ($0.name, "\($0.startAfter.joined(separator: ",")) +\($0.delay)") }
        return Dictionary(pairs) { first, _ in first }
    }

    @Test func actionsWithoutStartAfterRunTogether() throws {
        #expect(try starts("\"a\": {\(Self.reboot)}, \"b\": {\(Self.stop)}") == ["a": " +0s", "b": " +0s"])
    }

    @Test func whatComesAfterAnActionThatLastsWaitsUntilItIsOver() throws {
        #expect(
            try starts("\"a\": {\(Self.stop)}, \"b\": {\(Self.reboot), \"startAfter\": [\"a\"]}")
                == ["a": " +0s", "b": "a +5m"])
    }

    @Test func waitsBecomeDelays() throws {
        #expect(
            try starts(
                """
                "a": {\(Self.reboot)}, "w": {\(Self.wait("PT2M")), "startAfter": ["a"]},
                "v": {\(Self.wait("PT1M")), "startAfter": ["w"]}, "b": {\(Self.reboot), "startAfter": ["v"]}
                """) == ["a": " +0s", "b": "a +3m"])
    }

    @Test func aWaitBeforeEverythingDelaysFromTheStart() throws {
        #expect(
            try starts("\"w\": {\(Self.wait("PT2M"))}, \"a\": {\(Self.reboot), \"startAfter\": [\"w\"]}")
                == ["a": " +2m"])
    }

    @Test func whatWaitsForSeveralStartsWhenTheLastIsOver() throws {
        #expect(
            try starts(
                """
                "a": {\(Self.stop)}, "b": {\(Self.reboot)}, "w": {\(Self.wait("PT7M")), "startAfter": ["b"]},
                "c": {\(Self.reboot), "startAfter": ["a", "w"]}
                """) == ["a": " +0s", "b": " +0s", "c": "a,b +7m"])
    }

    @Test func anActionWithoutACounterpartIsTimeThatPasses() throws {
        #expect(
            try starts(
                """
                "a": {\(Self.reboot)},
                "x": {"actionId": "aws:new:thing", "parameters": {"duration": "PT4M"}, "startAfter": ["a"]},
                "b": {\(Self.reboot), "startAfter": ["x"]}
                """) == ["a": " +0s", "b": "a +4m"])
    }

    @Test func aLongTemplateMayRunAsLong() throws {
        let made = FISImport(
            try FISFixture.template(
                "\"w\": {\(Self.wait("PT11H"))}, \"a\": {\(Self.stop), \"startAfter\": [\"w\"]}"))
        let experiment = try FISFixture.experiment(made.text(templateFile: nil))
        #expect(experiment.limits.maxDuration == .minutes(11 * 60 + 20))
    }
}
