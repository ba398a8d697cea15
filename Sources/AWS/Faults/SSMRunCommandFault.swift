package import Basics
package import Contracts
package import Experiment

/// Runs a command document of SSM on an EC2 instance; an undo document, if one is written, is its heal.
package struct SSMRunCommandFault: AWSFault {
    /// A document of SSM with what it is given.
    package struct Document: Codable, Sendable, Hashable {
        var name: String
        var parameters: [String: [String]]
    }

    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var command: Document
        var undo: Document?
        /// In the command's comment: how it is found when the answer was lost.
        var comment: String
        var timeout: Span
    }

    package static let kind = "ssm.run-command"
    package static let manual = Manual(
        summary: "Runs an SSM document on an instance, AWS-RunShellScript for instance, and another one to undo it.",
        details: """
            Sends the command and follows it on the instance; the effect is that it succeeded there. `undo-document` with \
            `undo-parameters` is what heals: it is sent again until it succeeds, and so must do no harm when it runs twice. \
            Without one the fault cannot be taken back, and limits can forbid it. A command that still runs when the faults \
            are healed is cancelled first. No secret belongs into parameters: SSM and the journal keep them.
            """,
        example: """
            - name: stop-agent
              fault: ssm.run-command
              target: web
              document: AWS-RunShellScript
              parameters: {commands: [systemctl stop agent]}
              undo-document: AWS-RunShellScript
              undo-parameters: {commands: [systemctl start agent]}
              duration: 2m
            """)
    private static let documentParameter = Parameter<String>.defaulted(
        "document", .text, to: "AWS-RunShellScript", written: "AWS-RunShellScript", "The document's name or ARN.")
    private static let parametersParameter = Parameter<[NamedValue<[String]>]>.defaulted(
        "parameters", .map(.list(.anyText)), to: [], written: "{}", "The document's parameters, each a list.")
    private static let undoParameter = Parameter<String?>.optional(
        "undo-document", .text, "What takes it back; without it nothing does.")
    private static let undoParametersParameter = Parameter<[NamedValue<[String]>]>.defaulted(
        "undo-parameters", .map(.list(.anyText)), to: [], written: "{}", "The undo document's parameters.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(2), written: "2m", "How long the command may take.")
    package static let parameters: [any AnyParameter] = [
        documentParameter, parametersParameter, undoParameter, undoParametersParameter, timeoutParameter,
    ]
    package static let requires: Set<Target.Attribute> = [.computeInstance, .awsRegion]
    /// Each command has a comment of its own.
    package static let composes = true

    private let command: Document
    private let undoing: Document?
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        func parameters(_ values: [NamedValue<[String]>]) -> [String: [String]] {
            Dictionary(values.map { ($0.name, $0.value) }) { first, _ in first }
        }
        command = Document(
            name: reader.value(Self.documentParameter), parameters: parameters(reader.value(Self.parametersParameter)))
        let undoParameters = parameters(reader.value(Self.undoParametersParameter))
        undoing = reader.value(Self.undoParameter).map { Document(name: $0, parameters: undoParameters) }
        timeout = reader.timeout(Self.timeoutParameter)
        if undoing == nil, !undoParameters.isEmpty {
            reader.diagnostics.error(
                "undo-parameters need an undo-document", at: reader.location(of: Self.undoParametersParameter.key))
        }
    }

    package var persistence: Persistence { undoing == nil ? .forGood : .untilHealed }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "SendCommand \(command.name) to \(target.name)",
            undo: undoing.map { "SendCommand \($0.name)" } ?? "none: no undo-document is written",
            privileges: [
                "ssm:SendCommand", "ssm:GetCommandInvocation", "ssm:ListCommands", "ssm:CancelCommand",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let instance = try await InstanceChange.running(target, in: context)
        // One of its own for each step: a second command on the same instance must not take the first one's undo for its own.
        let comment = "squall \(context.run) \(context.time.now.nanoseconds)"
        return Undo(
            instance: instance, command: command, undo: undoing, comment: comment,
            timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let begun = context.time.now
        let status = try await Self.run(undo.command, undo, comment: undo.comment, in: context)
        guard status == "Success" else {
            return .unproven("the command ended as \(status) on \(undo.instance.id)")
        }
        return .confirmed(
            InstantRange(begun, context.time.now), evidence: "\(undo.command.name) succeeded on \(undo.instance.id)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.instance.place, in: context)
        for command in try await access.commands(undo.instance.id, commented: undo.comment) where command.isRunning {
            _ = try await access.change(
                .json(.ssm, "CancelCommand", ["CommandId": .string(command.id)], .once), "cancelling \(command.id)")
        }
        guard let document = undo.undo, try await !isUndone(undo, access) else { return }
        guard try await InstanceChange.isAlive(undo.instance, in: context) else { return }
        let status = try await run(document, undo, comment: undo.comment + " undo", in: context)
        guard status == "Success" else {
            throw FaultError(
                .unreachable, "the undo command ended as \(status) on \(undo.instance.id)",
                advice: manualHeal(undo).first ?? "")
        }
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(2) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await InstanceChange.isAlive(undo.instance, in: context) else { return nil }
        let access = try await AWSAccess(undo.instance.place, in: context)
        let sent = try await access.commands(undo.instance.id, commented: undo.comment)
        let isRunning = sent.contains(where: \.isRunning)
        let isOpen = undo.undo != nil && !sent.isEmpty ? try await !isUndone(undo, access) : false
        guard isRunning || isOpen else { return nil }
        return Leftover(
            kind: kind, target: undo.instance.id,
            description: isRunning ? "the command still runs" : "the undo command has not succeeded",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let place = "--region \(undo.instance.region)"
        guard let document = undo.undo else {
            return ["aws ssm list-commands \(place) --instance-id \(undo.instance.id)"]
        }
        return [
            "aws ssm send-command \(place) --document-name \(document.name) --instance-ids \(undo.instance.id) "
                + "--parameters …   (\(document.parameters.keys.sorted().joined(separator: ", ")) as in the experiment)"
        ]
    }

    private static func isUndone(_ undo: Undo, _ access: AWSAccess) async throws(FaultError) -> Bool {
        try await access.commands(undo.instance.id, commented: undo.comment + " undo").contains {
            $0.status == "Success"
        }
    }

    /// Sends a command, once, and follows it; a lost answer is made good by looking for its comment.
    private static func run(
        _ document: Document, _ undo: Undo, comment: String, in context: SystemContext
    ) async throws(FaultError) -> String {
        let access = try await AWSAccess(undo.instance.place, in: context)
        let known = Set(try await access.commands(undo.instance.id, commented: comment).map(\.id))
        let input: [String: JSONValue] = [
            "DocumentName": .string(document.name), "InstanceIds": .array([.string(undo.instance.id)]),
            "Comment": .string(comment),
            "Parameters": .object(document.parameters.mapValues { .array($0.map(JSONValue.string)) }),
        ]
        let answer = try await access.change(.json(.ssm, "SendCommand", input, .once), "sending \(document.name)")
        var id = answer?.json["Command"]?["CommandId"]?.string
        if id == nil {
            id = try await access.commands(undo.instance.id, commented: comment).first { !known.contains($0.id) }?.id
        }
        guard let id else { return "not sent" }
        var status = "Pending"
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        _ = try await watch.firstTimeDespiteFailures(since: context.time.now) { () async throws(FaultError) -> Bool in
            status = try await access.commandStatus(id, on: undo.instance.id)
            return !SentCommand.isRunning(status)
        }
        return status
    }
}

/// A command as ListCommands shows it.
struct SentCommand: Sendable, Hashable {
    var id: String
    var status: String

    var isRunning: Bool { Self.isRunning(status) }

    static func isRunning(_ status: String) -> Bool {
        ["Pending", "InProgress", "Delayed", "Cancelling"].contains(status)
    }
}

extension AWSAccess {
    /// Those with exactly this comment.
    fileprivate func commands(_ instance: String, commented comment: String) async throws(FaultError) -> [SentCommand] {
        var found: [SentCommand] = []
        try await pages("listing commands") { marker in
            var input: [String: JSONValue] = ["InstanceId": .string(instance)]
            if let marker { input["NextToken"] = .string(marker) }
            return .json(.ssm, "ListCommands", input, .read)
        } next: {
            $0.json["NextToken"]?.string
        } _: { answer in
            found += (answer.json["Commands"]?.array ?? []).filter { $0["Comment"]?.string == comment }.map { command in
                SentCommand(id: command["CommandId"]?.string ?? "", status: command["Status"]?.string ?? "")
            }
        }
        return found
    }

    /// How a command fares on one instance; SSM does not know it for a moment after it was sent.
    fileprivate func commandStatus(_ id: String, on instance: String) async throws(FaultError) -> String {
        let input: [String: JSONValue] = ["CommandId": .string(id), "InstanceId": .string(instance)]
        do throws(FaultError) {
            return try await perform(.json(.ssm, "GetCommandInvocation", input, .read), "asking for command \(id)")
                .json["Status"]?.string ?? "unknown"
        } catch {
            if let cause = error.underlying as? AWSError, cause.word == "InvocationDoesNotExist" { return "Pending" }
            throw error
        }
    }
}
