import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// Policies of experiments for the tests.
enum PolicyFixture {
    /// A target of every type.
    static let targets = """
        title: a drill
        targets:
          orders: {aws: {type: aurora-cluster, ids: [Orders], region: eu-west-1}}
          by-arn: {aws: {type: aurora-cluster, arns: ["arn:aws:rds:eu-west-1:123456789012:cluster:orders"]}}
          shop: {aws: {type: global-cluster, ids: [shop], region: eu-west-1}}
          ledger-db: {aws: {type: rds-instance, tags: {app: ledger}, zone: eu-west-1a, region: eu-west-1}}
          sessions: {aws: {type: replication-group, ids: [sessions], region: eu-west-1}}
          web: {aws: {type: ec2-instance, tags: {app: web}, zone: eu-west-1a, region: eu-west-1}}
          one: {aws: {type: ec2-instance, ids: [i-0a], region: eu-west-1}}
          anywhere: {aws: {type: ec2-instance, ids: [i-0a]}}
          web-task: {aws: {type: ecs-task, cluster: shop, service: checkout, region: eu-west-1}}
          zone-a: {aws: {type: subnet, zone: eu-west-1a, region: eu-west-1}}

        """

    /// An experiment with these steps, whose targets are declared above; only those that it names are kept.
    static func experiment(_ steps: String, rest: String = "") throws -> Experiment {
        var experiment = try FISFixture.experiment("\(targets)method:\n\(steps)\n\(rest)")
        let used = Set(experiment.method.flatMap(\.targets).map(\.value))
        experiment.targets.removeAll { !used.contains($0.name) }
        return experiment
    }

    /// `rds:FailoverDBCluster on arn:… if StringEquals ec2:ResourceTag/app = web`, for every action and resource.
    static func lines(_ policy: AccessPolicy) -> Set<String> {
        var lines: Set<String> = []
        for statement in policy.document["Statement"]?.array ?? [] {
            let tests = (statement["Condition"]?.object ?? [:]).sorted { $0.key < $1.key }.flatMap { test, keys in
                (keys.object ?? [:]).sorted { $0.key < $1.key }.map { key, values in
                    "\(test) \(key) = \(texts(values).joined(separator: ","))"
                }
            }
            for action in texts(statement["Action"]) {
                for resource in texts(statement["Resource"]) {
                    lines.insert(
                        "\(action) on \(resource)" + (tests.isEmpty ? "" : " if " + tests.joined(separator: "; ")))
                }
            }
        }
        return lines
    }
}
