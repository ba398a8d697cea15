internal import Basics
package import Contracts
package import Experiment

/// Stops a task of ECS; its service starts another.
package struct ECSStopTaskFault: AWSFault, IrreversibleFault {
    package struct Undo: Codable, Sendable, Hashable {
        var task: AWSResource
        var cluster: String
        var timeout: Span
    }

    package static let kind = "ecs.stop-task"
    package static let manual = Manual(
        summary: "Stops a task: its service must start another.",
        details: """
            Sends StopTask with a reason that names the run; the effect is that the task is stopped, or is to be. A task that \
            belongs to no service is gone for good; one of a service is replaced by ECS, as another task.
            """,
        example: """
            - {name: stop, fault: ecs.stop-task, target: web-task}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(2), written: "2m", "How long it may take until the task is stopped.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.containerTask, .awsRegion]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "StopTask \(target.name)", undo: "none: its service starts another",
            privileges: ["ecs:StopTask", "ecs:DescribeTasks"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .containerTask, in: context)
        let cluster = try Self.cluster(of: resource.id)
        let task = try await AWSAccess(resource.place, in: context).task(resource.id, cluster: cluster)
        guard task.lastStatus == "RUNNING" else {
            throw FaultError(
                .notApplicable, "task \(target.name) is \(task.lastStatus), not RUNNING",
                advice: "aws ecs describe-tasks --cluster \(cluster) --tasks \(resource.id)")
        }
        return Undo(task: resource, cluster: cluster, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.task.place, in: context)
        let begun = context.time.now
        let input: [String: JSONValue] = [
            "cluster": .string(undo.cluster), "task": .string(undo.task.id),
            "reason": .string("squall \(context.run)"),
        ]
        _ = try await access.change(.json(.ecs, "StopTask", input, .once), "stopping \(undo.task.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var seen = "RUNNING"
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            let task = try await access.task(undo.task.id, cluster: undo.cluster)
            let code = task.stopCode.map { " (\($0))" } ?? ""
            seen = "\(task.lastStatus)\(code)"
            return task.lastStatus != "RUNNING"
        }
        guard let shown else {
            return .unproven("ECS accepted the stop, and after \(undo.timeout) the task is \(seen)")
        }
        return .confirmed(shown, evidence: "task \(ARN(undo.task.id)?.name ?? undo.task.id) is \(seen)")
    }

    /// `arn:aws:ecs:us-east-1:123456789012:task/CLUSTER/ID`; in the old form without a cluster it is the default one.
    private static func cluster(of arn: String) throws(FaultError) -> String {
        let parts = ARN(arn)?.resource.split(separator: "/") ?? []
        guard parts.first == "task" else { throw FaultError(.notApplicable, "'\(arn)' is no task's ARN") }
        return parts.count == 3 ? String(parts[1]) : "default"
    }
}
