package import Basics
package import Contracts
package import Experiment

/// Cuts an EC2 instance off by giving its interfaces a security group that allows nothing; the groups before are the undo.
package struct SecurityGroupIsolateFault: AWSFault {
    package struct Undo: Codable, Sendable, Hashable {
        var instance: AWSResource
        var network: String
        /// Each with the groups it had.
        var interfaces: [ComputeInstance.Interface]
        /// Our group's name, our mark: its identifier is not known before it exists.
        var group: String
        var timeout: Span
    }

    package static let kind = "security-group.isolate"
    package static let manual = Manual(
        summary: "Cuts an instance off: a security group without rules replaces its own.",
        details: """
            Makes a security group squall-… without any rule in the instance's VPC, and gives it to all of the instance's \
            interfaces. New connections are refused at once in both directions; connections that are tracked already may \
            live on until they are idle: security groups are stateful (network-acl.isolate is not). The effect is that every \
            interface is read back with our group alone. The heal gives each interface that still has only our group the \
            groups it had, and deletes ours.
            """,
        example: """
            - {name: cut-off, fault: security-group.isolate, target: web, duration: 3m}
            """)
    private static let timeoutParameter = Parameter<Span>.timeout(
        .seconds(30), written: "30s", "How long it may take until the interfaces show it.")
    package static let parameters: [any AnyParameter] = [timeoutParameter]
    package static let requires: Set<Target.Attribute> = [.computeInstance, .awsRegion]

    private let timeout: Span

    package init(from reader: inout ParameterReader) {
        timeout = reader.timeout(Self.timeoutParameter)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "a security group without rules on all interfaces of \(target.name)",
            undo: "the groups each interface had; our group is deleted",
            privileges: [
                "ec2:DescribeInstances", "ec2:DescribeSecurityGroups", "ec2:CreateSecurityGroup",
                "ec2:RevokeSecurityGroupEgress", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DeleteSecurityGroup",
            ])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let resource = try await InstanceChange.running(target, in: context)
        let access = try await AWSAccess(resource.place, in: context)
        let instance = try await access.instance(resource.id)
        guard !instance.interfaces.isEmpty else {
            throw FaultError(.notApplicable, "instance \(instance.id) shows no network interface")
        }
        let group = "squall-\(context.run)-\(instance.id)"
        guard try await access.securityGroup(named: group, in: instance.network) == nil else {
            throw FaultError(
                .inUse, "instance \(instance.id) has a security group of this run already", advice: "squall heal --all")
        }
        return Undo(
            instance: resource, network: instance.network, interfaces: instance.interfaces, group: group,
            timeout: timeout)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let access = try await AWSAccess(undo.instance.place, in: context)
        let group = try await access.makeEmptySecurityGroup(undo.group, in: undo.network)
        let begun = context.time.now
        for interface in undo.interfaces { try await access.setGroups([group], of: interface.id) }
        let watch = EffectWatch(context, every: EffectWatch.pace, within: undo.timeout)
        let shown = try await watch.firstTimeDespiteFailures(since: begun) { () async throws(FaultError) -> Bool in
            try await access.instance(undo.instance.id).interfaces.allSatisfy { $0.groups == [group] }
        }
        guard let shown else {
            return .unproven("after \(undo.timeout) an interface of \(undo.instance.id) still has another group")
        }
        return .confirmed(
            shown, evidence: "all \(undo.interfaces.count) interfaces have \(group) alone, which allows nothing")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let access = try await AWSAccess(undo.instance.place, in: context)
        guard let group = try await access.securityGroup(named: undo.group, in: undo.network) else { return }
        for interface in try await isolated(undo, group, access) {
            // One that came after the injection has nothing to go back to but what the others had.
            let before = undo.interfaces.first { $0.id == interface.id } ?? undo.interfaces[0]
            try await access.setGroups(before.groups, of: interface.id)
        }
        try await access.deleteWhenFree(
            .query(.ec2, "DeleteSecurityGroup", [("GroupId", group)], .idempotent), "deleting security group \(group)")
    }

    package static func recovery(of undo: Undo) -> Span { .minutes(1) }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let access = try await AWSAccess(undo.instance.place, in: context)
        guard let group = try await access.securityGroup(named: undo.group, in: undo.network) else { return nil }
        let count = try await isolated(undo, group, access).count
        return Leftover(
            kind: kind, target: undo.instance.id,
            description: "security group \(group) (\(undo.group)) is there, and \(count) interfaces have it",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let region = "--region \(undo.instance.region)"
        return undo.interfaces.map { interface in
            "aws ec2 modify-network-interface-attribute \(region) --network-interface-id \(interface.id) "
                + "--groups \(interface.groups.joined(separator: " "))"
        } + [
            "aws ec2 describe-security-groups \(region) --filters Name=group-name,Values=\(undo.group)",
            "aws ec2 delete-security-group \(region) --group-id ID",
        ]
    }

    /// The instance's interfaces that have our group; none when the instance is gone.
    private static func isolated(
        _ undo: Undo, _ group: String, _ access: AWSAccess
    ) async throws(FaultError) -> [ComputeInstance.Interface] {
        let instance = try await access.ifThere { access throws(FaultError) in
            try await access.instance(undo.instance.id)
        }
        return instance?.interfaces.filter { $0.groups.contains(group) } ?? []
    }
}

extension AWSAccess {
    /// The identifier of a group by its name; nil when there is none.
    fileprivate func securityGroup(named name: String, in network: String) async throws(FaultError) -> String? {
        let filters = computeFilters([(name: "group-name", values: [name]), (name: "vpc-id", values: [network])])
        let answer = try await perform(
            .query(.ec2, "DescribeSecurityGroups", filters, .read), "looking for security group \(name)")
        return answer.xml.list("securityGroupInfo").first?.string("groupId")
    }

    /// Makes a group and takes the one rule from it that every new group has: everything may leave.
    fileprivate func makeEmptySecurityGroup(_ name: String, in network: String) async throws(FaultError) -> String {
        let fields = [("GroupName", name), ("GroupDescription", "squall isolates an instance"), ("VpcId", network)]
        let answer = try await change(
            .query(.ec2, "CreateSecurityGroup", fields, .once), "making security group \(name)")
        var group = answer?.xml.string("groupId")
        if group == nil { group = try await securityGroup(named: name, in: network) }
        guard let group else {
            throw FaultError(.unexpected, "security group \(name) was not made")
        }
        let all = [
            ("GroupId", group), ("IpPermissions.1.IpProtocol", "-1"),
            ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
        ]
        try await perform(
            .query(.ec2, "RevokeSecurityGroupEgress", all, .idempotent), "taking all rules from security group \(group)"
        )
        return group
    }

    fileprivate func setGroups(_ groups: [String], of interface: String) async throws(FaultError) {
        let list = groups.enumerated().map { ("SecurityGroupId.\($0 + 1)", $1) }
        try await perform(
            .query(
                .ec2, "ModifyNetworkInterfaceAttribute", [("NetworkInterfaceId", interface)] + list, .idempotent),
            "changing the groups of \(interface)")
    }
}
