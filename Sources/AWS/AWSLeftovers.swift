internal import Basics
package import Contracts

/// Looks for what bears our mark in the regions that journals and experiment files name.
///
/// Security groups by name, network ACLs and FIS experiments by tag, zonal shifts by comment. What has no mark (an
/// instance that is stopped, a record's weight) is known to its journal alone.
package struct AWSLeftovers: LeftoverScanner {
    package init() {}

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        let kinds = Set(AWSKinds.registry.faults.map { $0.kind } + AWSKinds.registry.probes.map { $0.kind })
        let places = known.places.filter { kinds.contains($0.kind) }
        let named: [String] = places.flatMap { $0.texts(under: ["region"]) }
        let regions = Set(named.filter { !$0.contains("${") })
        var scans: [SystemScan] = []
        for region in regions.sorted() {
            var system = "AWS \(region)"
            do throws(FaultError) {
                let access = try AWSAccess(region: region, in: context)
                // Another account's marks would not be seen with these credentials.
                system += " of account \(try await access.place().account)"
                let marks = try await marks(access)
                scans.append(
                    SystemScan(system: system, marks: marks.map { SystemScan.Mark($0, run: run(of: $0, known)) }))
            } catch {
                scans.append(SystemScan(system: system, failure: error.explained))
            }
        }
        return scans
    }

    private func run(of leftover: Leftover, _ known: KnownSystems) -> String? {
        known.runs.first { leftover.description.contains($0) }
    }

    private func marks(_ access: AWSAccess) async throws(FaultError) -> [Leftover] {
        let region = access.region
        var found: [Leftover] = []
        let groups = try await access.perform(
            .query(.ec2, "DescribeSecurityGroups", computeFilters([(name: "group-name", values: ["squall-*"])]), .read),
            "looking for security groups of ours")
        for group in groups.xml.list("securityGroupInfo") {
            let id = group.string("groupId") ?? ""
            found.append(
                Leftover(
                    kind: SecurityGroupIsolateFault.kind, target: id,
                    description: "security group \(group.string("groupName") ?? "") is there",
                    commands: ["aws ec2 delete-security-group --region \(region) --group-id \(id)"]))
        }
        let lists = try await access.perform(
            .query(.ec2, "DescribeNetworkAcls", computeFilters([(name: "tag-key", values: ["squall"])]), .read),
            "looking for network ACLs of ours")
        for list in lists.xml.list("networkAclSet") {
            let id = list.string("networkAclId") ?? ""
            found.append(
                Leftover(
                    kind: NetworkACLIsolateFault.kind, target: id,
                    description: "network ACL \(list.tags("tagSet")["squall"] ?? "") is there",
                    commands: ["aws ec2 delete-network-acl --region \(region) --network-acl-id \(id)"]))
        }
        return found + (try await experimentsAndShifts(access))
    }

    private func experimentsAndShifts(_ access: AWSAccess) async throws(FaultError) -> [Leftover] {
        let region = access.region
        let experiments = try await access.experiments().filter { !FISState($0).isOver }.compactMap { experiment in
            experiment["tags"]?["squall"]?.string.map { mark in
                let id = experiment["id"]?.string ?? ""
                return Leftover(
                    kind: FISExperimentFault.kind, target: id, description: "FIS experiment \(mark) is not over",
                    commands: ["aws fis stop-experiment --region \(region) --id \(id)"])
            }
        }
        let shifts = try await access.activeShifts(nil).filter { $0.comment.hasPrefix("squall ") }.map { shift in
            Leftover(
                kind: ZonalShiftFault.kind, target: shift.id,
                description: "a zonal shift away from \(shift.awayFrom) is active (\(shift.comment))",
                commands: ["aws arc-zonal-shift cancel-zonal-shift --region \(region) --zonal-shift-id \(shift.id)"])
        }
        return experiments + shifts
    }
}
