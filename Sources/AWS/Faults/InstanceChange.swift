internal import Basics
internal import Contracts
internal import Experiment

/// What the faults on EC2 instances have in common.
enum InstanceChange {
    /// Whether the credentials may do it: EC2 answers that without doing anything.
    static func findings(
        _ target: Target, _ operations: [String], in context: SystemContext
    ) async -> [Finding] {
        let general = await CredentialCheck.findings(in: context)
        if general.contains(where: { $0.severity == .error }) { return general }
        do throws(FaultError) {
            let instance = try await AWSResource(target, .computeInstance, in: context)
            let access = try await AWSAccess(instance.place, in: context)
            for operation in operations {
                guard try await access.mayDo(operation, [("InstanceId.1", instance.id)]) == false else { continue }
                return general + [
                    Finding(
                        .error, "the credentials may not do ec2:\(operation) on \(instance.id)",
                        advice: "squall iam-policy EXPERIMENT")
                ]
            }
        } catch {
            return general + [
                Finding(.warning, "rights could not be asked for: \(error.explained)", advice: error.advice)
            ]
        }
        return general
    }

    /// The target, when it runs.
    static func running(_ target: Target, in context: SystemContext) async throws(FaultError) -> AWSResource {
        let resource = try await AWSResource(target, .computeInstance, in: context)
        let instance = try await AWSAccess(resource.place, in: context).instance(resource.id)
        guard instance.state == "running" else {
            throw FaultError(
                .notApplicable, "instance \(instance.id) is \(instance.state), not running",
                advice: "aws ec2 describe-instances --region \(resource.region) --instance-ids \(instance.id)")
        }
        return resource
    }

    /// Sends the call and watches until the instance is in one of the states.
    static func perform(
        _ operation: String, _ fields: [(String, String)], on instance: AWSResource, until states: [String],
        within patience: Span, in context: SystemContext
    ) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(instance.place, in: context)
        let begun = context.time.now
        let answer = try await access.change(
            .query(.ec2, operation, [("InstanceId.1", instance.id)] + fields, .once), "\(operation) of \(instance.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: patience)
        var seen = "nothing"
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            seen = try await access.instance(instance.id).state
            return states.contains(seen)
        }
        guard let shown else {
            let said = answer == nil ? "the answer to the call was lost" : "EC2 accepted \(operation)"
            return .unproven("\(said), and after \(patience) the instance is \(seen)")
        }
        return .confirmed(shown, evidence: "instance \(instance.id) is \(seen)")
    }

    /// Whether there is anything left to undo on it.
    static func isAlive(_ instance: AWSResource, in context: SystemContext) async throws(FaultError) -> Bool {
        switch try await state(of: instance, in: context) {
        case nil, "shutting-down", "terminated": false
        default: true
        }
    }

    /// nil when AWS has forgotten the instance.
    static func state(of instance: AWSResource, in context: SystemContext) async throws(FaultError) -> String? {
        try await AWSAccess(instance.place, in: context).ifThere { access throws(FaultError) in
            try await access.instance(instance.id).state
        }
    }
}
