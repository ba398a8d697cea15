package import Basics
package import Contracts
package import Experiment

/// Stops EC2 instances; the heal starts them again.
package struct EC2StopFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var force: Bool
        var timeout: Span
    }

    package static let kind = "ec2.stop"
    package static let manual = Manual(
        summary: "Stops an instance, and starts it again.",
        details: """
            Sends StopInstances, with Force if asked for (the operating system cannot flush its caches). The effect is that \
            the instance is stopping or stopped. The heal waits until it is stopped, starts it, and waits until it runs; \
            one that was terminated meanwhile counts as healed. An instance gets another public address when it starts, \
            unless that is an Elastic IP. Rights are asked for with DryRun before the run.
            """,
        example: """
            - {name: stop, fault: ec2.stop, target: web, duration: 5m}
            """)
    private static let forceParameter = Parameter<Bool>.defaulted(
        "force", .boolean, to: false, written: "false", "Do not wait for the operating system.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(2), written: "2m", "How long it may take until the instance stops.")
    package static let parameters: [any AnyParameter] = [forceParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.computeInstance, .awsRegion]

    private let force: Bool
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        force = reader.value(Self.forceParameter)
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "StopInstances \(target.name)\(force ? " by force" : "")",
            undo: "StartInstances, and wait until it runs",
            privileges: ["ec2:StopInstances", "ec2:StartInstances", "ec2:DescribeInstances"])
    }

    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] {
        await InstanceChange.findings(target, ["StopInstances", "StartInstances"], in: context)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        Undo(instance: try await InstanceChange.running(target, in: context), force: force, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let fields = undo.force ? [("Force", "true")] : []
        return try await InstanceChange.perform(
            "StopInstances", fields, on: undo.instance, until: ["stopping", "stopped"], within: undo.timeout,
            in: context)
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        guard try await InstanceChange.state(of: undo.instance, in: context) == "stopped" else { return }
        let access = try await AWSAccess(undo.instance.place, in: context)
        _ = try await access.change(
            .query(.ec2, "StartInstances", [("InstanceId.1", undo.instance.id)], .idempotent),
            "starting \(undo.instance.id)")
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(10) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let state = try await InstanceChange.state(of: undo.instance, in: context)
        switch state {
        case nil, "running", "terminated", "shutting-down": return nil
        case .some(let state):
            return Leftover(
                kind: kind, target: undo.instance.id, description: "the instance is \(state)",
                commands: manualHeal(undo))
        }
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let place = "--region \(undo.instance.region) --instance-ids \(undo.instance.id)"
        return ["aws ec2 start-instances \(place)", "aws ec2 wait instance-running \(place)"]
    }
}
