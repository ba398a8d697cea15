internal import Basics
internal import Contracts

/// A metric or composite alarm of CloudWatch as DescribeAlarms shows it.
struct Alarm: Sendable, Hashable {
    /// As many as one call may name, and return.
    static let most = 100

    var name: String
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`; one that we do not know is kept as it is.
    var value: String
    /// Why it is in that state, in CloudWatch's words.
    var reason: String

    init(name: String, value: String, reason: String = "") {
        self.name = name
        self.value = value
        self.reason = reason
    }

    /// nil for what has no name.
    init?(_ json: JSONValue) {
        guard let name = json["AlarmName"]?.string else { return nil }
        self.init(
            name: name, value: json["StateValue"]?.string ?? "", reason: json["StateReason"]?.string ?? "")
    }

    /// Both sorts of an answer.
    static func list(_ answer: JSONValue) -> [Alarm] {
        ["MetricAlarms", "CompositeAlarms"].flatMap { answer[$0]?.array ?? [] }.compactMap { Alarm($0) }
    }

    /// Composite alarms are returned only when their type is named.
    static func call(_ names: [String]) -> AWSCall {
        .json(
            .cloudwatch, "DescribeAlarms",
            [
                "AlarmNames": .array(names.map(JSONValue.string)),
                "AlarmTypes": .array([.string("MetricAlarm"), .string("CompositeAlarm")]),
                "MaxRecords": .integer(Int64(most)),
            ], .read)
    }

    /// `ok`, `alarm`, `insufficient-data`
    var state: String { value.isEmpty ? "unknown" : value.lowercased().replacing("_", with: "-") }
    var isInAlarm: Bool { value == "ALARM" }
}

extension AWSAccess {
    /// Those of the alarms that there are: CloudWatch answers for an unknown name as for none.
    func alarms(_ names: [String]) async throws(FaultError) -> [Alarm] {
        let wanted = Set(names)
        return Alarm.list(try await perform(Alarm.call(names), "asking for alarms").json)
            .filter { wanted.contains($0.name) }
    }
}
