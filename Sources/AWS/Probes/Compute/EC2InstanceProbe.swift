package import Basics
package import Contracts
package import Experiment

/// Watches EC2 instances as EC2 shows them.
package struct EC2InstanceProbe: Probe {
    package static let kind = "ec2.instance"
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["running"]

    private static let form = AWSPolling.Form(every: .seconds(5), written: "5s")
    private static let idsParameter = Parameter<[String]>.defaulted(
        "ids", .list(.text), to: [], written: "[]", "Identifiers of instances, i-0123456789abcdef0.")
    private static let tagsParameter = Parameter<[NamedValue<String>]>.defaulted(
        "tags", .map(.anyText), to: [], written: "{}", "Tags that each must have, with their values.")
    private static let zoneParameter = Parameter<String?>.optional(
        "zone", .text, "The availability zone they must be in, us-east-1a.")
    package static let parameters: [any AnyParameter] = [idsParameter, tagsParameter, zoneParameter] + form.parameters

    package let name: Label
    let ids: [String]
    let tags: [NamedValue<String>]
    let zone: String?
    let polling: AWSPolling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        ids = reader.value(Self.idsParameter)
        tags = reader.value(Self.tagsParameter)
        zone = reader.value(Self.zoneParameter)
        polling = AWSPolling(Self.form, from: &reader)
        if ids.isEmpty, tags.isEmpty, zone == nil {
            reader.diagnostics.error(
                "write ids, tags or zone: nothing selects every instance", at: reader.location)
        }
        if !ids.isEmpty, !tags.isEmpty || zone != nil {
            reader.diagnostics.error(
                "write either ids, or tags and zone", at: reader.location(of: Self.idsParameter.key))
        }
        for id in ids where !id.hasPrefix("i-") {
            reader.diagnostics.error(
                "'\(id)' is no instance id", at: reader.location(of: Self.idsParameter.key),
                notes: ["they look like i-0123456789abcdef0"])
        }
    }

    /// As a filter an unknown id is no error, and hides no other's state.
    var filters: [(name: String, values: [String])] {
        var filters = tags.map { (name: "tag:\($0.name)", values: [$0.value]) }
        if let zone { filters.append((name: "availability-zone", values: [zone])) }
        if !ids.isEmpty { filters.append((name: "instance-id", values: ids)) }
        return filters
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        await polling.preflight(name, in: context) { access throws(FaultError) in
            findings(on: try await access.instances(filters: filters), region: access.region)
        }
    }

    func findings(on found: [ComputeInstance], region: String) -> [Finding] {
        var census = InstanceCensus(named: ids)
        let (there, gone) = census.take(found)
        let advice = "aws ec2 describe-instances --region \(region)"
        if ids.isEmpty, there.isEmpty {
            return [Finding(.error, "probe \(name): no instance in \(region) has these tags and zone", advice: advice)]
        }
        return gone.map { id in
            Finding(
                .error, "probe \(name): there is no instance \(id) in \(region)",
                advice: "\(advice) --instance-ids \(id)")
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        EC2InstanceSession(self, try await polling.access(in: context.system), context.system)
    }

    package static let manual = Manual(
        summary: "The state of EC2 instances: running, stopped and all between.",
        details: """
            Each instance is a node under its identifier: pending, running, stopping, stopped, shutting-down or terminated, \
            and unreachable when EC2 does not answer or lists it no more; `detail` is its availability zone. `running` is \
            how many run. Changes are noted with the instance's Name tag. With tags and zone, instances that come later \
            are taken up, and those that were over before the run are left out.

            EC2's state is not the service's: an instance is running minutes before what is on it answers, and stays \
            running while it hangs; http.check and tcp.connect see that. EC2 limits DescribeInstances per account, so that \
            looks are 5s apart: for instants to the millisecond look at what clients see. States that old are too old for \
            `{from: ...}`: target instances with `{aws: {type: ec2-instance, ...}}`.
            """,
        example: """
            web: {type: ec2.instance, tags: {app: web}, zone: us-east-1a, region: us-east-1}
            """)
}
