internal import Basics
package import Contracts
package import Experiment
internal import HTTP

/// Moves a load balancer's traffic away from an availability zone with ARC's zonal shift; cancelling it is the undo.
package struct ZonalShiftFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var place: AWSPlace
        var resource: String
        var awayFrom: String
        /// Our mark in the shift's comment: its identifier is not known before it exists.
        var comment: String
        var expiresIn: String
        var timeout: Span
    }

    package static let kind = "arc.zonal-shift"
    package static let manual = Manual(
        summary: "Moves a load balancer's traffic away from an availability zone.",
        details: """
            Starts a zonal shift: ARC takes the zone out of the load balancer's answers, as in the loss of a zone but \
            without breaking anything. `away-from` is a zone's identifier (use1-az1), which is the same in every account, \
            not its name (us-east-1a). `expires-in` is the safety net: AWS ends the shift then by itself, whatever becomes of \
            the run. The effect is that the shift is active and the zone's weight is 0; the heal cancels the shift that \
            bears our comment.
            """,
        example: """
            - name: leave-zone
              fault: arc.zonal-shift
              resource: "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
              away-from: use1-az1
              expires-in: 30m
              duration: 10m
            """)
    private static let resourceParameter = Parameter<String>.required("resource", .text, "The load balancer's ARN.")
    private static let zoneParameter = Parameter<String>.required(
        "away-from", .text, "The zone's identifier, use1-az1.")
    private static let expiryParameter = Parameter<Span>.defaulted(
        "expires-in", .span, to: .minutes(30), written: "30m", "When AWS ends the shift by itself: 1m to 72h.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(1), written: "1m", "How long it may take until the shift is active.")
    package static let parameters: [any AnyParameter] = [
        resourceParameter, zoneParameter, expiryParameter, timeoutParameter, AWSTargetSource.regionParameter,
    ]
    package static let requires: Set<Target.Attribute> = []

    private let resource: String
    private let awayFrom: String
    private let expiresIn: Span
    private let timeout: Span
    private let region: String?

    package init(from reader: inout ParameterReader) {
        resource = reader.value(Self.resourceParameter)
        awayFrom = reader.value(Self.zoneParameter)
        expiresIn = reader.value(Self.expiryParameter)
        timeout = reader.timeout(Self.timeoutParameter)
        region = reader.value(AWSTargetSource.regionParameter)
        if !resource.isEmpty, ARN(resource) == nil {
            reader.diagnostics.error("'\(resource)' is no ARN", at: reader.location(of: Self.resourceParameter.key))
        }
        if !awayFrom.isEmpty, awayFrom.firstRange(of: "-az") == nil {
            reader.diagnostics.error(
                "'\(awayFrom)' is no zone's identifier (use1-az1): a name like us-east-1a means another zone in every account",
                at: reader.location(of: Self.zoneParameter.key))
        }
        if expiresIn < .minutes(1) || expiresIn > .minutes(72 * 60) {
            reader.diagnostics.error("expires-in must be 1m to 72h", at: reader.location(of: Self.expiryParameter.key))
        }
    }

    package func resources(on target: Target) -> [String] { ["arc:\(resource)"] }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "StartZonalShift of \(resource) away from \(awayFrom), for \(expiresIn) at most",
            undo: "CancelZonalShift; AWS ends it by itself after \(expiresIn)",
            privileges: [
                "arc-zonal-shift:StartZonalShift", "arc-zonal-shift:CancelZonalShift",
                "arc-zonal-shift:ListZonalShifts", "arc-zonal-shift:GetManagedResource",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let access = try await AWSAccess(written: region, ARN(resource), in: context)
        let weights = try await access.appliedWeights(resource)
        guard weights[awayFrom] != nil || weights.isEmpty else {
            let known = weights.keys.sorted().joined(separator: ", ")
            throw FaultError(.notApplicable, "the load balancer is not in zone \(awayFrom) (it is in \(known))")
        }
        if let other = try await access.activeShifts(resource).first {
            throw FaultError(
                .foreignState, "a zonal shift of it is active already, away from \(other.awayFrom) (\(other.comment))",
                advice: "aws arc-zonal-shift cancel-zonal-shift --zonal-shift-id \(other.id)")
        }
        // ARC takes whole minutes; rounded up, so that it never ends before its time.
        let minutes = (expiresIn.nanoseconds + 59_999_999_999) / 60_000_000_000
        return Undo(
            place: try await access.place(), resource: resource, awayFrom: awayFrom,
            comment: "squall \(context.run) \(awayFrom)",
            expiresIn: "\(minutes)m", timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.place, in: context)
        let begun = context.time.now
        let body: [String: JSONValue] = [
            "resourceIdentifier": .string(undo.resource), "awayFrom": .string(undo.awayFrom),
            "expiresIn": .string(undo.expiresIn), "comment": .string(undo.comment),
        ]
        _ = try await access.change(
            .rest(.zonalShift, "StartZonalShift", .post, "/zonalshifts", body: .json(.object(body)), .once),
            "starting the zonal shift")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var seen = "no shift of ours is active"
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            guard let shift = try await Self.ours(undo, access) else { return false }
            let weight = try await access.appliedWeights(undo.resource)[undo.awayFrom]
            seen =
                "shift \(shift.id) is active, the weight of \(undo.awayFrom) is \(weight.map { "\($0)" } ?? "not shown")"
            return weight == 0
        }
        guard let shown else { return .unproven("after \(undo.timeout) \(seen)") }
        return .confirmed(shown, evidence: seen)
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.place, in: context)
        guard let shift = try await ours(undo, access) else { return }
        _ = try await access.change(
            .rest(.zonalShift, "CancelZonalShift", .delete, "/zonalshifts/\(percentEncoded(shift.id))", .once),
            "cancelling the zonal shift")
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard let shift = try await ours(undo, try await AWSAccess(undo.place, in: context)) else { return nil }
        return Leftover(
            kind: kind, target: undo.resource,
            description: "zonal shift \(shift.id) is active, away from \(undo.awayFrom)", commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "aws arc-zonal-shift list-zonal-shifts --region \(undo.place.region) --resource-identifier \(undo.resource)",
            "aws arc-zonal-shift cancel-zonal-shift --region \(undo.place.region) --zonal-shift-id ID",
        ]
    }

    private static func ours(_ undo: Undo, _ access: AWSAccess) async throws(FaultError) -> ZonalShift? {
        try await access.activeShifts(undo.resource).first { $0.comment == undo.comment }
    }
}
