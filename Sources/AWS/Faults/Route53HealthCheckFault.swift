internal import Basics
package import Contracts
package import Experiment
internal import HTTP

/// Turns a health check of Route 53 around, or switches it off; its setting before is the undo.
package struct Route53HealthCheckFault: AWSFault {
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        /// What is healthy counts as unhealthy.
        case inverted
        /// Counts as healthy whatever happens.
        case disabled
    }

    package struct Undo: Codable, Sendable, Hashable {
        var place: AWSPlace
        var id: String
        var mode: Mode
        /// The flag's value before.
        var before: Bool
        var timeout: Span
    }

    package static let kind = "route53.health-check"
    package static let manual = Manual(
        summary: "Makes Route 53 take a healthy endpoint for unhealthy, or stop looking.",
        details: """
            `mode: inverted` turns the check around, so that failover and weighted records with it move clients away \
            although the endpoint is well; `mode: disabled` makes it count as healthy whatever happens. The effect is that \
            the check's setting is read back changed; what DNS answers then is for a dns.record probe to show. The heal \
            restores the one flag that was changed, on the version that is current then, so that other settings stay.
            """,
        example: """
            - name: unhealthy
              fault: route53.health-check
              health-check: 0a1b2c3d-0000-4000-8000-000000000000
              mode: inverted
              duration: 5m
            """)
    private static let idParameter = Parameter<String>.required("health-check", .text, "The check's identifier.")
    private static let modeParameter = Parameter<Mode>.defaulted(
        "mode", .choice(.inverted), to: .inverted, written: "inverted", "inverted or disabled.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(1), written: "1m", "How long it may take until the change is read back.")
    package static let parameters: [any AnyParameter] = [
        idParameter, modeParameter, timeoutParameter, AWSTargetSource.regionParameter,
    ]
    package static let requires: Set<Target.Attribute> = []

    private let id: String
    private let mode: Mode
    private let timeout: Span
    private let region: String?

    package init(from reader: inout ParameterReader) {
        id = reader.value(Self.idParameter)
        mode = reader.value(Self.modeParameter)
        timeout = reader.timeout(Self.timeoutParameter)
        region = reader.value(AWSTargetSource.regionParameter)
    }

    package func resources(on target: Target) -> [String] { ["route53:health-check:\(id)"] }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "UpdateHealthCheck \(id): \(mode.rawValue)", undo: "the flag as it was",
            privileges: ["route53:UpdateHealthCheck", "route53:GetHealthCheck"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let access = try await AWSAccess(written: region ?? "us-east-1", in: context)
        let check = try await access.healthCheck(id)
        guard !check.flag(mode) else {
            throw FaultError(
                .notApplicable, "health check \(id) is \(mode.rawValue) already",
                advice: "aws route53 get-health-check --health-check-id \(id)")
        }
        return Undo(place: try await access.place(), id: id, mode: mode, before: check.flag(mode), timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.place, in: context)
        let begun = context.time.now
        try await access.setHealthCheck(undo.id, undo.mode, to: !undo.before)
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            try await access.healthCheck(undo.id).flag(undo.mode) != undo.before
        }
        guard let shown else { return .unproven("after \(undo.timeout) the health check is not \(undo.mode.rawValue)") }
        return .confirmed(shown, evidence: "health check \(undo.id) is \(undo.mode.rawValue)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.place, in: context)
        guard try await isChanged(undo, access) else { return }
        try await access.setHealthCheck(undo.id, undo.mode, to: undo.before)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await isChanged(undo, try await AWSAccess(undo.place, in: context)) else { return nil }
        return Leftover(
            kind: kind, target: undo.id, description: "the health check is \(undo.mode.rawValue)",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let flag = undo.before ? "--\(undo.mode.rawValue)" : "--no-\(undo.mode.rawValue)"
        return ["aws route53 update-health-check --health-check-id \(undo.id) \(flag)"]
    }

    private static func isChanged(_ undo: Undo, _ access: AWSAccess) async throws(FaultError) -> Bool {
        let now = try await access.ifThere { access throws(FaultError) in
            try await access.healthCheck(undo.id).flag(undo.mode)
        }
        return now.map { $0 != undo.before } ?? false
    }
}

/// A health check as GetHealthCheck shows it.
private struct HealthCheck {
    var version: Int64
    private var isInverted: Bool
    private var isDisabled: Bool

    init(_ node: XMLNode) {
        version = node.integer("HealthCheckVersion") ?? 1
        isInverted = node["HealthCheckConfig"]?.boolean("Inverted") ?? false
        isDisabled = node["HealthCheckConfig"]?.boolean("Disabled") ?? false
    }

    func flag(_ mode: Route53HealthCheckFault.Mode) -> Bool {
        switch mode {
        case .inverted: isInverted
        case .disabled: isDisabled
        }
    }
}

extension AWSAccess {
    fileprivate func healthCheck(_ id: String) async throws(FaultError) -> HealthCheck {
        let call = AWSCall.rest(
            .route53, "GetHealthCheck", .get, "/2013-04-01/healthcheck/\(percentEncoded(id))", .read)
        guard let node = try await perform(call, "reading health check \(id)").xml.first("HealthCheck") else {
            throw FaultError(
                .notFound, "there is no health check \(id)", advice: "aws route53 list-health-checks")
        }
        return HealthCheck(node)
    }

    /// Writes one flag on the version that is current; somebody else's change in between is refused by Route 53.
    fileprivate func setHealthCheck(
        _ id: String, _ mode: Route53HealthCheckFault.Mode, to value: Bool
    ) async throws(FaultError) {
        let version = try await healthCheck(id).version
        let element = mode == .inverted ? "Inverted" : "Disabled"
        let xml =
            "<UpdateHealthCheckRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">"
            + "<HealthCheckVersion>\(version)</HealthCheckVersion><\(element)>\(value)</\(element)>"
            + "</UpdateHealthCheckRequest>"
        let call = AWSCall.rest(
            .route53, "UpdateHealthCheck", .post, "/2013-04-01/healthcheck/\(percentEncoded(id))", body: .xml(xml),
            .once)
        _ = try await change(call, "changing health check \(id)")
    }
}
