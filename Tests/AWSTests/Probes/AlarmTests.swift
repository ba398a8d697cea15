import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// CloudWatch's alarms as they are answered, and what preflight makes of those that are missing.
@Suite struct AlarmTests {
    private static let answer = #"""
        {"MetricAlarms": [
            {"AlarmName": "5xx", "StateValue": "ALARM", "StateReason": "Threshold Crossed", "StateUpdatedTimestamp": 1.7E9},
            {"AlarmName": "latency", "StateValue": "INSUFFICIENT_DATA"},
            {"StateValue": "OK"}],
         "CompositeAlarms": [{"AlarmName": "slo", "StateValue": "OK"}, {"AlarmName": "new", "StateValue": "ON_HOLD"}]}
        """#

    @Test func bothSortsAreReadAndUnknownValuesAreKept() throws {
        let alarms = Alarm.list(try JSONValue(parsing: Self.answer))
        #expect(
            alarms.map { "\($0.name) \($0.state) \($0.isInAlarm)" } == [
                "5xx alarm true", "latency insufficient-data false", "slo ok false", "new on-hold false",
            ])
        #expect(alarms.first?.reason == "Threshold Crossed")
    }

    @Test func anAnswerWithoutAlarmsIsEmpty() throws {
        #expect(Alarm.list(try JSONValue(parsing: "{}")) == [])
        #expect(Alarm.list(try JSONValue(parsing: #"{"MetricAlarms": null, "CompositeAlarms": []}"#)) == [])
        #expect(Alarm.list(try JSONValue(parsing: "[1]")) == [])
    }

    @Test func theCallNamesBothTypesAndTakesAllInOnePage() {
        let call = Alarm.call(["a", "b"])
        #expect(call.operation == "DescribeAlarms")
        let input: [String: JSONValue] = [
            "AlarmNames": .array([.string("a"), .string("b")]),
            "AlarmTypes": .array([.string("MetricAlarm"), .string("CompositeAlarm")]), "MaxRecords": .integer(100),
        ]
        #expect(call.body == .json(.object(input)))
    }

    @Test func aMissingAlarmIsAnErrorAndARaisedOneAWarning() {
        let findings = CloudWatchAlarmProbe.findings(
            on: [Alarm(name: "a", value: "ALARM", reason: "why"), Alarm(name: "b", value: "OK")],
            wanted: ["a", "b", "c"], region: "eu-west-1", probe: "guard")
        #expect(findings.map(\.severity) == [.error, .warning])
        #expect(findings.first?.message == "probe guard: there is no alarm 'c' in eu-west-1")
        #expect(findings.last?.message == "probe guard: alarm 'a' is in ALARM already: why")
    }
}
