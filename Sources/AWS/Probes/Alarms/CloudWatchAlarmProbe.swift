package import Basics
package import Contracts
package import Experiment

/// Watches alarms of CloudWatch, for guards that users already have.
package struct CloudWatchAlarmProbe: Probe {
    package static let kind = "cloudwatch.alarm"
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["alarms"]

    private static let form = AWSPolling.Form(every: .seconds(5), written: "5s")
    private static let alarmsParameter = Parameter<[String]>.required(
        "alarms", .list(.text), "The names of metric and composite alarms, in one region.")
    package static let parameters: [any AnyParameter] = [alarmsParameter] + form.parameters

    package let name: Label
    let alarms: [String]
    let polling: AWSPolling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        alarms = Set(reader.value(Self.alarmsParameter)).sorted()
        polling = AWSPolling(Self.form, from: &reader)
        let place = reader.location(of: Self.alarmsParameter.key)
        if reader.has(Self.alarmsParameter.key), alarms.isEmpty {
            reader.diagnostics.error("no alarm is listed", at: place)
        }
        if alarms.count > Alarm.most {
            reader.diagnostics.error("at most \(Alarm.most) alarms", at: place, notes: ["write a second probe"])
        }
        for arn in alarms where arn.hasPrefix("arn:") {
            reader.diagnostics.error("'\(arn)' is an ARN; write the alarm's name", at: place)
        }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        await polling.preflight(name, in: context) { access throws(FaultError) in
            Self.findings(on: try await access.alarms(alarms), wanted: alarms, region: access.region, probe: name)
        }
    }

    /// A guard that does not exist would never stop anything; one that is raised already would stop at once.
    static func findings(on found: [Alarm], wanted: [String], region: String, probe: Label) -> [Finding] {
        let missing = Set(wanted).subtracting(found.map(\.name)).sorted()
        return missing.map { alarm in
            Finding(
                .error, "probe \(probe): there is no alarm '\(alarm)' in \(region)",
                advice: "aws cloudwatch describe-alarms --region \(region) --alarm-names '\(alarm)' "
                    + "--alarm-types MetricAlarm CompositeAlarm")
        }
            + found.filter(\.isInAlarm).map { alarm in
                Finding(
                    .warning, "probe \(probe): alarm '\(alarm.name)' is in ALARM already: \(alarm.reason)",
                    advice: "aws cloudwatch describe-alarm-history --region \(region) --alarm-name '\(alarm.name)'")
            }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        CloudWatchAlarmSession(self, try await polling.access(in: context.system), context.system)
    }

    package static let manual = Manual(
        summary: "The state of CloudWatch alarms, as a stop condition or to see whether monitoring noticed the fault.",
        details: """
            Each alarm is a node under its name: ok, alarm, insufficient-data, or unreachable when CloudWatch does not \
            answer or the alarm was deleted. `alarms` is how many are in ALARM. Changes are noted with CloudWatch's reason. \
            All alarms are asked for in one call; composite ones are found like metric ones.

            CloudWatch answers for an alarm that does not exist as if nothing had been asked: before the run that is an \
            error, because such a guard would never stop anything. One that is in ALARM before the run is a warning.

            An alarm is late by its period times its evaluation periods: it tells a fault after minutes, not seconds, and \
            one with insufficient data tells none. When CloudWatch is silent no value comes and no condition on `alarms` \
            can be relied on: a second stop condition, `unreachable >= 1`, ends a run whose guard is blind.
            """,
        example: """
            probes:
              guard: {type: cloudwatch.alarm, alarms: [payments-5xx, checkout-slo], region: us-east-1}
            stop-conditions:
              - {probe: guard, when: "alarms >= 1", for: 10s}
              - {probe: guard, when: "unreachable >= 1", for: 1m}
            """)
}
