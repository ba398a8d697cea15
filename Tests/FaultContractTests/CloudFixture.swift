import AWSSupport
import Basics
import Contracts
import Controller
import Experiment
import HTTP

@testable import AWS

/// A resource of the lab's cloud, in a world of its own on loopback that checks every signature.
final class CloudFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    /// What AWS says is not there is gone.
    let provesAbsence = true
    /// Identifiers are never given twice.
    let namesakes = 0

    private let cloud: CloudServer
    private let client: AWSClient
    private let access: AWSAccess
    private var kind: String { type(of: fault).kind }

    init(_ contract: Contract) async throws {
        let cloud = try CloudServer()
        self.cloud = cloud
        client = try cloud.client()
        context = try cloud.context(run: "contract-\(freshToken())")
        access = try AWSAccess(region: "us-east-1", in: context)
        let world = try await cloud.world()
        var replacements = Self.replacements(world)
        if contract.kind == FISExperimentFault.kind {
            replacements["EXT1a2b3c4d5e6f7"] = try await Self.makeTemplate(world, access)
        }
        fault = try contract.fault(replacing: replacements).fault
        target = Self.target(for: type(of: fault), world)
    }

    /// Stops an instance for as long as nobody stops the experiment.
    private static func makeTemplate(_ world: JSONValue, _ access: AWSAccess) async throws -> String {
        let instance = "arn:aws:ec2:us-east-1:123456789012:instance/i-0a000000000000001"
        let text = """
            {"clientToken": "contract", "description": "contract", "stopConditions": [{"source": "none"}],
             "roleArn": "\(world["iam"]?["fis-role-arn"]?.string ?? "")",
             "targets": {"web": {"resourceType": "aws:ec2:instance", "resourceArns": ["\(instance)"],
                                 "selectionMode": "ALL"}},
             "actions": {"stop": {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "web"},
                                  "parameters": {"startInstancesAfterDuration": "PT10M"}}}}
            """
        let call = AWSCall.rest(
            .fis, "CreateExperimentTemplate", .post, "/experimentTemplates",
            body: .json(try JSONValue(parsing: text)), .idempotent)
        return try await access.perform(call, "making a template").json["experimentTemplate"]?["id"]?.string ?? ""
    }

    /// The world's names instead of the examples'.
    private static func replacements(_ world: JSONValue) -> [String: String] {
        let shift = world["zonal-shift"]?["resource"]?.string ?? ""
        let control = world["routing-control"]?["controls"]?["squall-us-west-2"]?.string ?? ""
        return [
            "Z0123456789ABCDEFGHIJ": world["route53"]?["hosted-zone"]?.string ?? "",
            "api.example.com": "www.squall.test",
            "0a1b2c3d-0000-4000-8000-000000000000": world["route53"]?["health-check"]?.string ?? "",
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188": shift,
            "arn:aws:route53-recovery-control::123456789012:controlpanel/1a/routingcontrol/2b": control,
            "https://aaaa.route53-recovery-cluster.us-east-1.amazonaws.com/v1": world["endpoint"]?.string ?? "",
            "arn:aws:rds:us-west-2:123456789012:cluster:shop-west": world["rds"]?["global-cluster"]?["secondary-arn"]?
                .string
                ?? "",
            "to: orders-2": "to: pg-2",
            // The safety rule wants one of the two to be on.
            "state: \"Off\"": "state: \"On\"",
        ]
    }

    private static func target(for type: any Fault.Type, _ world: JSONValue) -> Target {
        let names: [(Target.Attribute, String)] = [
            (.auroraCluster, "app"), (.globalCluster, "squall-global"), (.databaseInstance, "ledger"),
            (.replicationGroup, "cache"), (.computeInstance, "i-0a000000000000001"),
            (.subnet, "subnet-0a000000000000001"), (.containerTask, world["ecs"]?["tasks"]?[0]?.string ?? ""),
        ]
        guard let (attribute, id) = names.first(where: { type.requires.contains($0.0) }) else { return .localHost }
        return Target(id: "aws:\(id)", name: id, attributes: [attribute: id, .awsRegion: "us-east-1"])
    }

    /// What AWS shows of all that a fault of this kind may touch.
    func state() async throws -> String {
        switch kind {
        case EC2StopFault.kind, EC2RebootFault.kind, SecurityGroupIsolateFault.kind, SSMRunCommandFault.kind:
            let instances = try await access.instances()
            let groups = try await ask(.query(.ec2, "DescribeSecurityGroups", [], .read)).xml.list("securityGroupInfo")
            return
                "\(instances.map { "\($0.id) \($0.state) \($0.interfaces)" }) \(groups.map { $0.string("groupName") })"
        case NetworkACLIsolateFault.kind:
            let acls = try await ask(.query(.ec2, "DescribeNetworkAcls", [], .read)).xml.list("networkAclSet")
            let seen = acls.map { acl in
                let subnets = acl.list("associationSet").compactMap { $0.string("subnetId") }.sorted()
                return "\(acl.string("networkAclId") ?? "") \(subnets)"
            }
            return "\(seen.sorted())"
        case Route53WeightFault.kind:
            let path = "/2013-04-01/hostedzone/Z0SQUALLLAB0000000001/rrset"
            return try await ask(.rest(.route53, "ListResourceRecordSets", .get, path, .read)).xml.document
        case Route53HealthCheckFault.kind:
            let checks = try await ask(.rest(.route53, "ListHealthChecks", .get, "/2013-04-01/healthcheck", .read))
            return checks.xml.list("HealthChecks").compactMap { $0["HealthCheckConfig"]?.document }.joined()
        case ZonalShiftFault.kind:
            return try await ask(.rest(.zonalShift, "ListManagedResources", .get, "/managedresources", .read)).json
                .text()
        case RoutingControlFault.kind:
            return try await ask(.json(.routingControl, "ListRoutingControls", [:], .read)).json.text()
        case FISExperimentFault.kind:
            let experiments = try await ask(.rest(.fis, "ListExperiments", .get, "/experiments", .read)).json
            let states = (experiments["experiments"]?.array ?? []).map { FISState($0) }
            return "\(states.filter { !$0.isOver }.map(\.status))"
        case RDSRebootFault.kind: return try await access.databaseInstance("ledger").status
        default: return try await access.cluster("app").status
        }
    }

    func identity() async throws -> String { target.id }

    /// A world of its own again, unless names that are drawn anew stand in the fault.
    func comesToRest() async throws -> Bool {
        // An instance that an experiment stopped is a target of no second one.
        if kind == ECSStopTaskFault.kind || kind == FISExperimentFault.kind { return false }
        if fault.persistence == .untilHealed { return true }
        try await cloud.lab(.post, "reset")
        return true
    }

    /// An instance is terminated; the rest of the world is made anew, without what the fault did.
    func destroy() async throws {
        guard let instance = target.attributes[.computeInstance] else {
            try await cloud.lab(.post, "reset")
            return
        }
        _ = try await ask(.query(.ec2, "TerminateInstances", [("InstanceId.1", instance)], .idempotent))
        try await until("the instance is gone") { [self] in
            try await access.instances(ids: [instance]).first?.state == "terminated"
        }
    }

    func putNamesake(_ number: Int) async throws {}

    func namesakeState() async throws -> String { "" }

    func remove() async throws {}

    private func ask(_ call: AWSCall) async throws -> AWSAnswer { try await client.perform(call, region: "us-east-1") }
}
