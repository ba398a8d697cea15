internal import Basics
package import Contracts
package import Experiment

/// Gives a weighted record of Route 53 another weight; the record as it was is the undo.
package struct Route53WeightFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var place: AWSPlace
        var zone: String
        var record: RecordSet
        var weight: Int
        var timeout: Span
    }

    package static let kind = "route53.weight"
    package static let manual = Manual(
        summary: "Gives a weighted record another weight, 0 to drain it, and the old one back.",
        details: """
            Writes the record set whole with the new weight; the effect is that all of Route 53's servers have it (INSYNC). \
            Clients go on with what they know until its TTL has passed: a dns.record probe shows that. The heal writes \
            the record as it was, unless its weight is no longer ours: what somebody else changed meanwhile stays.
            """,
        example: """
            - name: drain
              fault: route53.weight
              hosted-zone: Z0123456789ABCDEFGHIJ
              record: api.example.com
              set-identifier: us-east-1
              weight: 0
              duration: 5m
            """)
    private static let weightParameter = Parameter<Int>.required(
        "weight", .integer(0...255), "The new weight, 0 to 255.")
    private static let identifierParameter = Parameter<String>.required(
        "set-identifier", .anyText, "Which of the records with this name.")
    private static let typeParameter = Parameter<String>.defaulted(
        "type", .text, to: "A", written: "A", "The record's type.")
    private static let zoneParameter = Parameter<String>.required(
        "hosted-zone", .text, "The zone's identifier, Z0123456789ABCDEFGHIJ.")
    private static let recordParameter = Parameter<String>.required("record", .text, "The name, api.example.com.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(2), written: "2m", "How long Route 53 may take to have it everywhere.")
    package static let parameters: [any AnyParameter] = [
        zoneParameter, recordParameter, typeParameter, identifierParameter, weightParameter, timeoutParameter,
        AWSTargetSource.regionParameter,
    ]
    package static let requires: Set<Target.Attribute> = []

    private let zone: String
    private let name: String
    private let type: String
    private let identifier: String
    private let weight: Int
    private let timeout: Span
    private let region: String?

    package init(from reader: inout ParameterReader) {
        zone = reader.value(Self.zoneParameter).split(separator: "/").last.map(String.init) ?? ""
        name = reader.value(Self.recordParameter)
        type = reader.value(Self.typeParameter)
        identifier = reader.value(Self.identifierParameter)
        weight = reader.value(Self.weightParameter)
        timeout = reader.timeout(Self.timeoutParameter)
        region = reader.value(AWSTargetSource.regionParameter)
    }

    package func resources(on target: Target) -> [String] { ["route53:\(zone):\(name):\(type):\(identifier)"] }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "ChangeResourceRecordSets \(name) \(type) (\(identifier)): weight \(weight)",
            undo: "the record as it was",
            privileges: ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetChange"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let access = try await AWSAccess(written: region ?? "us-east-1", in: context)
        let record = try await access.record(name, type, identifier, zone: zone)
        guard let now = try record.weight() else {
            throw FaultError(.notApplicable, "record \(name) \(type) has no weight: it is not of the weighted kind")
        }
        guard now != weight else {
            throw FaultError(
                .notApplicable, "record \(name) \(type) (\(identifier)) has weight \(weight) already",
                advice: "aws route53 list-resource-record-sets --hosted-zone-id \(zone)")
        }
        return Undo(place: try await access.place(), zone: zone, record: record, weight: weight, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.place, in: context)
        let begun = context.time.now
        let change = try await access.write(
            try undo.record.weighted(undo.weight), zone: undo.zone, comment: "squall \(context.run)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        let synced = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            try await access.isInSync(change)
        }
        guard let synced else { return .unproven("after \(undo.timeout) Route 53 still says PENDING") }
        guard try await Self.current(undo, access)?.weight() == Int64(undo.weight) else {
            return .unproven("Route 53 accepted the change, and the record does not have weight \(undo.weight)")
        }
        return .confirmed(synced, evidence: "\(undo.record.name) \(undo.record.type) has weight \(undo.weight)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.place, in: context)
        guard let now = try await current(undo, access), try now.weight() == Int64(undo.weight) else { return }
        _ = try await access.write(undo.record, zone: undo.zone, comment: "squall heals \(context.run)")
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.place, in: context)
        guard let now = try await current(undo, access), try now.weight() == Int64(undo.weight) else { return nil }
        return Leftover(
            kind: kind, target: undo.record.name, description: "the record has weight \(undo.weight)",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "aws route53 list-resource-record-sets --hosted-zone-id \(undo.zone)",
            "aws route53 change-resource-record-sets --hosted-zone-id \(undo.zone) --change-batch …   (UPSERT of "
                + "\(undo.record.document))",
        ]
    }

    /// The record now; nil when it is gone, or the zone is.
    private static func current(_ undo: Undo, _ access: AWSAccess) async throws(FaultError) -> RecordSet? {
        try await access.ifThere { access throws(FaultError) in
            try await access.record(undo.record.name, undo.record.type, undo.record.setIdentifier, zone: undo.zone)
        }
    }
}
