/// The names of resources in a policy, with `*` where a part is not known.
struct PolicyARN: Sendable, Hashable {
    /// nil: not known.
    var region: String?
    var account: String?

    private var prefix: String { partition(of: region ?? "") }

    /// `arn:aws:rds:us-east-1:123456789012:cluster:orders`
    func arn(_ service: String, _ resource: String) -> String {
        "arn:\(prefix):\(service):\(region ?? "*"):\(account ?? "*"):\(resource)"
    }

    /// Of no region: `arn:aws:rds::123456789012:global-cluster:shop`.
    func global(_ service: String, _ resource: String) -> String {
        "arn:\(prefix):\(service)::\(account ?? "*"):\(resource)"
    }

    /// Of no account either: `arn:aws:route53:::hostedzone/Z1`.
    func ofNobody(_ service: String, _ resource: String) -> String { "arn:\(prefix):\(service):::\(resource)" }

    /// A document of SSM; AWS's own are of no account, which `*` stands for as well.
    func document(_ name: String) -> String {
        if ARN(name) != nil { return name }
        guard name.hasPrefix("AWS") else { return arn("ssm", "document/\(name)") }
        return "arn:\(prefix):ssm:\(region ?? "*"):*:document/\(name)"
    }

    /// The resources that a target selects; all of its type when it selects by something else than names.
    func resources(_ target: WrittenTarget) -> [String] {
        let named = target.arns + target.ids.map { ARN($0) == nil ? resource($0, of: target) : $0 }
        return named.isEmpty ? [resource("*", of: target)] : named
    }

    private func resource(_ id: String, of target: WrittenTarget) -> String {
        switch target.type {
        case .auroraCluster: arn("rds", "cluster:\(id.lowercased())")
        case .globalCluster: global("rds", "global-cluster:\(id.lowercased())")
        case .databaseInstance: arn("rds", "db:\(id.lowercased())")
        case .replicationGroup: arn("elasticache", "replicationgroup:\(id.lowercased())")
        case .computeInstance: arn("ec2", "instance/\(id)")
        case .subnet: arn("ec2", "subnet/\(id)")
        case .containerTask: arn("ecs", "task/\(clusterName(of: target))/\(id)")
        }
    }

    /// `cluster` may be a name or an ARN.
    func clusterName(of target: WrittenTarget) -> String {
        target.cluster.map { ARN($0)?.name ?? $0 } ?? "default"
    }
}
