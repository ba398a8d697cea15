internal import Basics
package import Contracts
package import Experiment
internal import HTTP

/// Turns a routing control of ARC on or off; its state before is the undo.
package struct RoutingControlFault: AWSFault {
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case on = "On"
        case off = "Off"
    }

    package struct Undo: Codable, Sendable, Hashable {
        var control: String
        var endpoints: [String]
        var region: String
        var state: State
        var before: State
        var overrides: [String]
    }

    package static let kind = "arc.routing-control"
    package static let manual = Manual(
        summary: "Turns an ARC routing control, and with it a region's traffic, on or off.",
        details: """
            Sends UpdateRoutingControlState to the cluster's endpoints, one after the other until one answers: that is how \
            ARC stays usable while a region is down, so all five belong into the file. The effect is that the state is read back \
            changed. Safety rules refuse what would turn everything off, unless `override-safety-rules` names them.
            """,
        example: """
            - name: leave-east
              fault: arc.routing-control
              control: "arn:aws:route53-recovery-control::123456789012:controlpanel/1a/routingcontrol/2b"
              state: "Off"
              endpoints: {us-east-1: "https://aaaa.route53-recovery-cluster.us-east-1.amazonaws.com/v1"}
              duration: 5m
            """)
    private static let controlParameter = Parameter<String>.required("control", .text, "The routing control's ARN.")
    private static let stateParameter = Parameter<State>.required("state", .choice(.off), "\"On\" or \"Off\".")
    private static let endpointsParameter = Parameter<[NamedValue<String>]>.required(
        "endpoints", .map(.text), "The cluster's endpoints: region → URL.")
    private static let overridesParameter = Parameter<[String]>.defaulted(
        "override-safety-rules", .list(.text), to: [], written: "[]", "ARNs of safety rules that shall not hold.")
    package static let parameters: [any AnyParameter] = [
        controlParameter, stateParameter, endpointsParameter, overridesParameter,
    ]
    package static let requires: Set<Target.Attribute> = []

    private let control: String
    private let state: State
    private let endpoints: [NamedValue<String>]
    private let overrides: [String]

    package init(from reader: inout ParameterReader) {
        control = reader.value(Self.controlParameter)
        state = reader.value(Self.stateParameter)
        endpoints = reader.value(Self.endpointsParameter)
        overrides = reader.value(Self.overridesParameter)
        if !control.isEmpty, ARN(control) == nil {
            reader.diagnostics.error("'\(control)' is no ARN", at: reader.location(of: Self.controlParameter.key))
        }
        if endpoints.isEmpty {
            reader.diagnostics.error(
                "no endpoint is written", at: reader.location(of: Self.endpointsParameter.key),
                notes: ["aws route53-recovery-control-config describe-cluster shows all five"])
        }
    }

    package func resources(on target: Target) -> [String] { ["arc:\(control)"] }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "UpdateRoutingControlState \(control): \(state.rawValue)", undo: "the state as it was",
            privileges: [
                "route53-recovery-cluster:UpdateRoutingControlState",
                "route53-recovery-cluster:GetRoutingControlState",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        var undo = Undo(
            control: control, endpoints: endpoints.map { "\($0.name) \($0.value)" }, region: endpoints[0].name,
            state: state, before: state, overrides: overrides)
        undo.before = try await Self.current(undo, in: context)
        guard undo.before != state else {
            throw FaultError(
                .notApplicable, "routing control \(control) is \(state.rawValue) already",
                advice: Self.manualHeal(undo).first ?? "")
        }
        return undo
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let begun = context.time.now
        try await Self.set(undo, undo.state, in: context)
        guard try await Self.current(undo, in: context) == undo.state else {
            return .unproven("ARC accepted the change, and the control is not \(undo.state.rawValue)")
        }
        return .confirmed(
            InstantRange(begun, context.time.now), evidence: "the routing control is \(undo.state.rawValue)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        guard try await current(undo, in: context) == undo.state else { return }
        try await set(undo, undo.before, in: context)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await current(undo, in: context) == undo.state else { return nil }
        return Leftover(
            kind: kind, target: undo.control, description: "the routing control is \(undo.state.rawValue)",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        undo.endpoints.prefix(1).map { text in
            let (region, url) = place(text)
            return "aws route53-recovery-cluster update-routing-control-state --region \(region) --endpoint-url \(url) "
                + "--routing-control-arn \(undo.control) --routing-control-state \(undo.before.rawValue)"
        }
    }

    private static func current(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> State {
        let answer = try await ask(
            undo, .json(.routingControl, "GetRoutingControlState", ["RoutingControlArn": .string(undo.control)], .read),
            in: context)
        guard let state = answer.json["RoutingControlState"]?.string.flatMap({ State(rawValue: $0) }) else {
            throw FaultError(.unexpected, "ARC says no state of routing control \(undo.control)")
        }
        return state
    }

    private static func set(_ undo: Undo, _ state: State, in context: SystemContext) async throws(FaultError) {
        var input: [String: JSONValue] = [
            "RoutingControlArn": .string(undo.control), "RoutingControlState": .string(state.rawValue),
        ]
        if !undo.overrides.isEmpty { input["SafetyRulesToOverride"] = .array(undo.overrides.map(JSONValue.string)) }
        _ = try await ask(undo, .json(.routingControl, "UpdateRoutingControlState", input, .idempotent), in: context)
    }

    /// The first endpoint that answers; a refusal of ARC itself is an answer.
    private static func ask(
        _ undo: Undo, _ call: AWSCall, in context: SystemContext
    ) async throws(FaultError) -> AWSAnswer {
        var last: FaultError?
        for text in undo.endpoints {
            let (region, url) = place(text)
            var call = call
            call.endpoint = url
            call.patience = .seconds(10)
            do throws(FaultError) {
                return try await AWSAccess(region: region, in: context).perform(
                    call, "asking ARC's endpoint in \(region)")
            } catch {
                guard error.code == .unreachable || error.code == .timeout else { throw error }
                last = error
            }
        }
        throw last ?? FaultError(.notApplicable, "no endpoint of ARC is known")
    }

    private static func place(_ text: String) -> (region: String, url: String) {
        let split = text.firstIndex(of: " ") ?? text.endIndex
        return (String(text[..<split]), String(text[split...].dropFirst()))
    }
}
