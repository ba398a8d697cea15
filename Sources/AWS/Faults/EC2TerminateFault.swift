internal import Basics
package import Contracts
package import Experiment

/// Terminates an EC2 instance for good.
package struct EC2TerminateFault: AWSFault, IrreversibleFault {
    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var timeout: Span
    }

    package static let kind = "ec2.terminate"
    package static let manual = Manual(
        summary: "Terminates an instance: what replaces it is what is tested.",
        details: """
            Sends TerminateInstances; the effect is that the instance is shutting down. Nothing brings it back, and its \
            volumes may go with it: `limits: {irreversible: forbidden}` refuses it. An instance with termination protection \
            is refused by AWS. Rights are asked for with DryRun before the run.
            """,
        example: """
            - {name: lose-instance, fault: ec2.terminate, target: web}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(1), written: "1m", "How long it may take until the instance shuts down.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.computeInstance, .awsRegion]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "TerminateInstances \(target.name)", undo: "none: the instance is gone",
            privileges: ["ec2:TerminateInstances", "ec2:DescribeInstances"])
    }

    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] {
        await InstanceChange.findings(target, ["TerminateInstances"], in: context)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        Undo(instance: try await InstanceChange.running(target, in: context), timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        try await InstanceChange.perform(
            "TerminateInstances", [], on: undo.instance, until: ["shutting-down", "terminated"], within: undo.timeout,
            in: context)
    }
}
