package import Basics
package import Contracts
package import Experiment
internal import HTTP

/// Runs an experiment template of AWS FIS: the engine for fleets larger than one machine. Stopping it is its heal.
package struct FISExperimentFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var place: AWSPlace
        var template: String
        /// Our mark: the token the experiment was started with, and its tag, by which it is found again.
        var token: String
        var timeout: Span
    }

    package static let kind = "fis.experiment"
    package static let manual = Manual(
        summary: "Starts an AWS FIS experiment from a template, follows it, and stops it.",
        details: """
            Before the run it looks at the template and at the account's safety lever. It starts the experiment with a token \
            of the run's own, so that a request whose answer was lost starts no second one, and tags it. The effect is that \
            an action is running or has completed. What FIS says of each action is on the timeline. The heal stops the \
            experiment and waits until it is stopped, or finds it completed; what an action's own rollback does after a \
            stop is for FIS. squall import fis makes an experiment of a template instead, which measures step by step.
            """,
        example: """
            - {name: fleet, fault: fis.experiment, template: EXT1a2b3c4d5e6f7, duration: 10m}
            """)
    private static let templateParameter = Parameter<String>.required("template", .text, "The template's identifier.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(3), written: "3m", "How long it may take until an action runs.")
    package static let parameters: [any AnyParameter] = [
        templateParameter, timeoutParameter, AWSTargetSource.regionParameter,
    ]
    package static let requires: Set<Target.Attribute> = []

    private let template: String
    private let timeout: Span
    private let region: String?

    package init(from reader: inout ParameterReader) {
        template = reader.value(Self.templateParameter)
        timeout = reader.timeout(Self.timeoutParameter)
        region = reader.value(AWSTargetSource.regionParameter)
    }

    package func resources(on target: Target) -> [String] { ["fis:\(template)"] }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "StartExperiment of template \(template)", undo: "StopExperiment",
            privileges: [
                "fis:GetExperimentTemplate", "fis:StartExperiment", "fis:GetExperiment", "fis:StopExperiment",
                "fis:ListExperiments", "fis:TagResource", "fis:GetSafetyLever",
            ])
    }

    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] {
        let general = await CredentialCheck.findings(in: context)
        if general.contains(where: { $0.severity == .error }) { return general }
        do throws(FaultError) {
            let access = try await AWSAccess(written: region, in: context)
            let found = try await access.experimentTemplate(template)
            let conditions = found["stopConditions"]?.array ?? []
            if conditions.allSatisfy({ $0["source"]?.string == "none" }) {
                return general + [
                    Finding(
                        .warning, "template \(template) has no stop condition: only squall's own can end it early",
                        advice: "aws fis update-experiment-template --stop-conditions …")
                ]
            }
        } catch {
            return general + [Finding(.error, error.explained, advice: error.advice)]
        }
        return general
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let access = try await AWSAccess(written: region, in: context)
        _ = try await access.experimentTemplate(template)
        if let reason = try await access.engagedSafetyLever() {
            throw FaultError(
                .foreignState, "the account's FIS safety lever is engaged: \(reason)",
                advice: "aws fis get-safety-lever --id default")
        }
        if let running = try await access.runningExperiment(of: template) {
            throw FaultError(
                .foreignState, "experiment \(running) of template \(template) is under way already",
                advice: "aws fis get-experiment --region \(access.region) --id \(running)")
        }
        return Undo(
            place: try await access.place(), template: template,
            token: "squall-\(context.run)-\(context.time.now.nanoseconds)",
            timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.place, in: context)
        let begun = context.time.now
        let body: [String: JSONValue] = [
            "clientToken": .string(undo.token), "experimentTemplateId": .string(undo.template),
            "tags": .object(["squall": .string(undo.token)]),
        ]
        let answer = try await access.perform(
            .rest(.fis, "StartExperiment", .post, "/experiments", body: .json(.object(body)), .idempotent),
            "starting FIS template \(undo.template)")
        guard let id = answer.json["experiment"]?["id"]?.string else {
            throw FaultError(.unexpected, "FIS started template \(undo.template) and named no experiment")
        }
        let follower = FISFollower(id, access, context)
        let watch = EffectWatch(context, every: .seconds(1), within: undo.timeout)
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            try await follower.look()
            return follower.state.hasEffect || follower.state.isOver
        }
        guard let shown, follower.state.hasEffect else {
            return .unproven("FIS experiment \(id) is \(follower.state.summary), and no action of it has run")
        }
        return .confirmed(shown, evidence: "FIS experiment \(id): \(follower.state.summary)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.place, in: context)
        guard let id = try await access.experiment(marked: undo.token) else { return }
        let follower = FISFollower(id, access, context)
        try await follower.look()
        guard
            follower.state.status == "running" || follower.state.status == "initiating"
                || follower.state.status == "pending"
        else { return }
        _ = try await access.change(
            .rest(.fis, "StopExperiment", .delete, "/experiments/\(percentEncoded(id))", .once),
            "stopping FIS experiment \(id)")
        try await follower.look()
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(10) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.place, in: context)
        guard let id = try await access.experiment(marked: undo.token) else { return nil }
        let state = try await access.experimentState(id)
        guard !state.isOver else { return nil }
        return Leftover(
            kind: kind, target: id, description: "FIS experiment \(id) is \(state.status)", commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "aws fis list-experiments --region \(undo.place.region) --experiment-template-id \(undo.template)",
            "aws fis stop-experiment --region \(undo.place.region) --id ID",
        ]
    }
}
