package import Basics
package import Contracts
package import Experiment

/// Reboots a database instance; in a Multi-AZ pair the standby can be made to take over.
package struct RDSRebootFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var zone: String
        var forcesFailover: Bool
        var timeout: Span
    }

    package static let kind = "rds.reboot"
    package static let manual = Manual(
        summary: "Reboots a database instance, with a failover to its standby if asked for.",
        details: """
            Sends RebootDBInstance. The effect is that the instance is seen in another state than available; with \
            `force-failover` that it runs in another zone afterwards, which only an instance with Multi-AZ can. The reboot is \
            over by itself; an instance that is not available again when the faults are healed is a leftover.
            """,
        example: """
            - {name: reboot, fault: rds.reboot, target: ledger-db, force-failover: true}
            """)
    private static let forceParameter = Parameter<Bool>.defaulted(
        "force-failover", .boolean, to: false, written: "false", "The standby takes over; needs Multi-AZ.")
    private static let timeoutParameter = Parameter<Span>.timeout(
        .minutes(5), written: "5m", "How long it may take until the reboot is seen.")
    package static let parameters: [any AnyParameter] = [forceParameter, timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.databaseInstance, .awsRegion]

    private let forcesFailover: Bool
    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        forcesFailover = reader.value(Self.forceParameter)
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "RebootDBInstance \(target.name)\(forcesFailover ? " with a failover" : "")",
            undo: "none needed: the instance comes back",
            privileges: ["rds:RebootDBInstance", "rds:DescribeDBInstances"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .databaseInstance, in: context)
        let instance = try await AWSAccess(resource.place, in: context).databaseInstance(resource.id)
        guard instance.status == DatabaseCluster.available else {
            throw FaultError(
                .notApplicable, "instance \(instance.id) is \(instance.status), not available",
                advice: "aws rds wait db-instance-available --db-instance-identifier \(instance.id)")
        }
        guard instance.isMultiZone || !forcesFailover else {
            throw FaultError(
                .notApplicable, "instance \(instance.id) has no standby in another zone (Multi-AZ is off)",
                advice: "leave force-failover out; an Aurora cluster fails over with aurora.failover")
        }
        return Undo(instance: resource, zone: instance.zone, forcesFailover: forcesFailover, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.instance.place, in: context)
        let begun = context.time.now
        var fields = [("DBInstanceIdentifier", undo.instance.id)]
        if undo.forcesFailover { fields.append(("ForceFailover", "true")) }
        let answer = try await access.change(
            .query(.rds, "RebootDBInstance", fields, .once), "rebooting \(undo.instance.id)")
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        var wasDown: InstantRange?
        var lower = begun
        var seen = DatabaseCluster.available
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            let asked = context.time.now
            let instance = try await access.databaseInstance(undo.instance.id)
            seen = "\(instance.status) in \(instance.zone)"
            if wasDown == nil, instance.status != DatabaseCluster.available || instance.zone != undo.zone {
                wasDown = InstantRange(lower, context.time.now)
            }
            lower = asked
            return undo.forcesFailover ? instance.zone != undo.zone : wasDown != nil
        }
        guard shown != nil, let wasDown else {
            let said = answer == nil ? "the answer to the call was lost" : "RDS accepted the reboot"
            return .unproven("\(said), and after \(undo.timeout) the instance is \(seen)")
        }
        return .confirmed(wasDown, evidence: "\(undo.instance.id) was \(seen) (before: in \(undo.zone))")
    }

    /// Nothing to do: it comes back by itself.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func recovery(of undo: Undo) -> Span { .minutes(15) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.instance.place, in: context)
        let instance = try await access.ifThere { access throws(FaultError) in
            try await access.databaseInstance(undo.instance.id)
        }
        guard let instance, instance.status != DatabaseCluster.available else { return nil }
        return Leftover(
            kind: kind, target: undo.instance.id, description: "the instance is \(instance.status) after its reboot",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [
            "aws rds wait db-instance-available --region \(undo.instance.region) "
                + "--db-instance-identifier \(undo.instance.id)"
        ]
    }
}
