package import Basics
package import Contracts
package import Experiment

/// Reboots an EC2 instance, and looks for its status checks to begin anew.
package struct EC2RebootFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var timeout: Span
    }

    package static let kind = "ec2.reboot"
    package static let manual = Manual(
        summary: "Reboots an instance.",
        details: """
            Sends RebootInstances, whose answer says nothing and whose effect no state shows: the instance stays running. It \
            is proven when the instance's status check is no longer ok; a reboot quicker than the checks (a minute) \
            may go unseen, and the run is inconclusive then: a probe on what runs there shows more. It is over by itself.
            """,
        example: """
            - {name: reboot, fault: ec2.reboot, target: web}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(3), written: "3m", "How long it may take until the checks show it.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.computeInstance, .awsRegion]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "RebootInstances \(target.name)", undo: "none needed: the instance comes back",
            privileges: ["ec2:RebootInstances", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus"])
    }

    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] {
        await InstanceChange.findings(target, ["RebootInstances"], in: context)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let instance = try await InstanceChange.running(target, in: context)
        let status = try await Self.status(of: instance, in: context)
        guard status == "ok" else {
            throw FaultError(
                .notApplicable, "the status check of \(instance.id) is \(status) already: a reboot could not be told",
                advice: "aws ec2 wait instance-status-ok --instance-ids \(instance.id)")
        }
        return Undo(instance: instance, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.instance.place, in: context)
        let begun = context.time.now
        _ = try await access.change(
            .query(.ec2, "RebootInstances", [("InstanceId.1", undo.instance.id)], .once),
            "rebooting \(undo.instance.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var seen = "ok"
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            seen = try await Self.status(of: undo.instance, in: context)
            return seen != "ok"
        }
        guard let shown else {
            return .unproven("EC2 accepted the reboot, and for \(undo.timeout) the status check stayed \(seen)")
        }
        return .confirmed(shown, evidence: "the status check of \(undo.instance.id) is \(seen)")
    }

    /// Nothing to do: it comes back by itself.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func recovery(of undo: Undo) -> Span { .minutes(10) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await InstanceChange.state(of: undo.instance, in: context) == "running" else { return nil }
        let status = try await status(of: undo.instance, in: context)
        guard status != "ok" else { return nil }
        return Leftover(
            kind: kind, target: undo.instance.id, description: "the status check is \(status) after the reboot",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        ["aws ec2 wait instance-status-ok --region \(undo.instance.region) --instance-ids \(undo.instance.id)"]
    }

    /// `ok`, `initializing`, `impaired`, …
    private static func status(
        of instance: AWSResource, in context: SystemContext
    ) async throws(FaultError) -> String {
        let access = try await AWSAccess(instance.place, in: context)
        let answer = try await access.perform(
            .query(.ec2, "DescribeInstanceStatus", [("InstanceId.1", instance.id)], .read),
            "asking for the status of \(instance.id)")
        return answer.xml.list("instanceStatusSet").first?["instanceStatus"]?.string("status") ?? "unknown"
    }
}
