package import Basics
package import Contracts
package import Experiment

/// Cuts a subnet off with a network ACL that denies everything; the ACL it had is the undo. All subnets of a zone: the zone.
package struct NetworkACLIsolateFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var subnet: AWSResource
        var network: String
        /// The ACL the subnet had.
        var before: String
        /// The value of our ACL's Name tag, our mark.
        var mark: String
        var timeout: Span
    }

    package static let kind = "network-acl.isolate"
    package static let manual = Manual(
        summary: "Cuts a subnet off, or a whole availability zone: a network ACL that denies everything.",
        details: """
            Makes a network ACL without any rule but the last, which denies, and gives it to the subnet. It is stateless: \
            connections that are open fall silent, too; traffic within the subnet goes on. For a zone, select all its \
            subnets: `{aws: {type: subnet, zone: us-east-1a}}`. The effect is that the subnet is read back with our ACL. \
            The heal gives the subnet the ACL it had, unless it has another than ours by now, and deletes ours.
            """,
        example: """
            - {name: lose-zone, fault: network-acl.isolate, target: zone-a, duration: 3m}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .seconds(30), written: "30s", "How long it may take until the subnet shows it.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.subnet, .awsRegion]
    private static let tag = "squall"

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "a network ACL that denies everything for subnet \(target.name)",
            undo: "the ACL it had; ours is deleted",
            privileges: [
                "ec2:DescribeSubnets", "ec2:DescribeNetworkAcls", "ec2:CreateNetworkAcl", "ec2:CreateTags",
                "ec2:ReplaceNetworkAclAssociation", "ec2:DeleteNetworkAcl",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await AWSResource(target, .subnet, in: context)
        let access = try await AWSAccess(resource.place, in: context)
        guard let subnet = try await access.subnets(ids: [resource.id]).first else {
            throw FaultError(
                .notFound, "there is no subnet \(resource.id) in \(resource.region)",
                advice: "aws ec2 describe-subnets --region \(resource.region)")
        }
        guard let association = try await access.association(of: resource.id) else {
            throw FaultError(.unexpected, "subnet \(resource.id) shows no network ACL")
        }
        let mark = "squall-\(context.run)-\(resource.id)"
        if association.mark?.hasPrefix("squall-") == true {
            throw FaultError(
                .inUse, "subnet \(resource.id) is cut off already, by \(association.mark ?? "")",
                advice: "squall heal --all")
        }
        return Undo(
            subnet: resource, network: subnet.network, before: association.acl, mark: mark, timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.subnet.place, in: context)
        let ours = try await access.makeACL(undo.mark, in: undo.network)
        let begun = context.time.now
        guard let association = try await access.association(of: undo.subnet.id) else {
            throw FaultError(.unexpected, "subnet \(undo.subnet.id) shows no network ACL any more")
        }
        _ = try await access.replace(association.id, with: ours)
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            try await access.association(of: undo.subnet.id)?.acl == ours
        }
        guard let shown else { return .unproven("after \(undo.timeout) subnet \(undo.subnet.id) has not got our ACL") }
        return .confirmed(shown, evidence: "subnet \(undo.subnet.id) has \(ours), which denies everything")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.subnet.place, in: context)
        guard let ours = try await access.acl(marked: undo.mark) else { return }
        if let association = try await access.association(of: undo.subnet.id), association.acl == ours {
            _ = try await access.replace(association.id, with: undo.before)
        }
        try await access.deleteWhenFree(
            .query(.ec2, "DeleteNetworkAcl", [("NetworkAclId", ours)], .idempotent), "deleting network ACL \(ours)")
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(1) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.subnet.place, in: context)
        guard let ours = try await access.acl(marked: undo.mark) else { return nil }
        let has = try await access.association(of: undo.subnet.id)?.acl == ours ? "has it" : "does not have it"
        return Leftover(
            kind: kind, target: undo.subnet.id, description: "network ACL \(ours) is there, and the subnet \(has)",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let region = "--region \(undo.subnet.region)"
        return [
            "aws ec2 describe-network-acls \(region) --filters Name=association.subnet-id,Values=\(undo.subnet.id)",
            "aws ec2 replace-network-acl-association \(region) --association-id ID --network-acl-id \(undo.before)",
            "aws ec2 describe-network-acls \(region) --filters Name=tag:\(tag),Values=\(undo.mark)",
            "aws ec2 delete-network-acl \(region) --network-acl-id ID",
        ]
    }
}

/// Which ACL a subnet has.
private struct ACLAssociation {
    var id: String
    var acl: String
    /// The ACL's mark, when it is one of ours.
    var mark: String?
}

extension AWSAccess {
    fileprivate func association(of subnet: String) async throws(FaultError) -> ACLAssociation? {
        let filters = computeFilters([(name: "association.subnet-id", values: [subnet])])
        let answer = try await perform(
            .query(.ec2, "DescribeNetworkAcls", filters, .read), "looking for the network ACL of \(subnet)")
        for acl in answer.xml.list("networkAclSet") {
            // The filter finds the ACL; it lists all its subnets.
            guard let entry = acl.list("associationSet").first(where: { $0.string("subnetId") == subnet }) else {
                continue
            }
            return ACLAssociation(
                id: entry.string("networkAclAssociationId") ?? "", acl: acl.string("networkAclId") ?? "",
                mark: acl.tags("tagSet")["squall"])
        }
        return nil
    }

    fileprivate func acl(marked mark: String) async throws(FaultError) -> String? {
        let filters = computeFilters([(name: "tag:squall", values: [mark])])
        let answer = try await perform(
            .query(.ec2, "DescribeNetworkAcls", filters, .read), "looking for network ACL \(mark)")
        return answer.xml.list("networkAclSet").first?.string("networkAclId")
    }

    fileprivate func makeACL(_ mark: String, in network: String) async throws(FaultError) -> String {
        let fields = [
            ("VpcId", network), ("TagSpecification.1.ResourceType", "network-acl"),
            ("TagSpecification.1.Tag.1.Key", "squall"), ("TagSpecification.1.Tag.1.Value", mark),
        ]
        let answer = try await change(.query(.ec2, "CreateNetworkAcl", fields, .once), "making network ACL \(mark)")
        var made = answer?.xml["networkAcl"]?.string("networkAclId")
        if made == nil { made = try await acl(marked: mark) }
        guard let made else { throw FaultError(.unexpected, "network ACL \(mark) was not made") }
        return made
    }

    fileprivate func replace(_ association: String, with acl: String) async throws(FaultError) -> AWSAnswer? {
        let fields = [("AssociationId", association), ("NetworkAclId", acl)]
        return try await change(
            .query(.ec2, "ReplaceNetworkAclAssociation", fields, .once), "giving the subnet network ACL \(acl)")
    }
}
