import Experiment
import Testing

@testable import AWS

/// Experiments that are exported, on targets of every kind.
enum FISExportFixture {
    static let role = "arn:aws:iam::123456789012:role/fis"
    static let targets = """
        title: a drill
        targets:
          web: {aws: {type: ec2-instance, ids: [i-0a, i-0b], region: eu-west-1}, mode: one}
          tagged: {aws: {type: ec2-instance, tags: {app: web}, zone: eu-west-1a, region: eu-west-1}}
          orders: {aws: {type: aurora-cluster, ids: [Orders], region: eu-west-1}}
          ledger: {aws: {type: rds-instance, ids: [ledger-1], region: eu-west-1}}
          zone: {aws: {type: subnet, tags: {tier: data}, zone: eu-west-1a, region: eu-west-1}}
          zone-only: {aws: {type: subnet, zone: eu-west-1a, region: eu-west-1}}
          tasks: {aws: {type: ecs-task, cluster: shop, service: checkout, region: eu-west-1}}
          task: {aws: {type: ecs-task, cluster: shop, ids: [0a1b], region: eu-west-1}}
          elsewhere: {aws: {type: ec2-instance, ids: [i-0c], region: us-east-1}}
          many: {aws: {type: ec2-instance, ids: [i-1, i-2, i-3, i-4, i-5, i-6], region: eu-west-1}}
          both: {aws: {type: ec2-instance, ids: [i-1], tags: {app: web}, region: eu-west-1}}
          some: {aws: {type: ec2-instance, tags: {app: web}, region: eu-west-1}, mode: random-max-percent, value: 50%}

        """

    static func export(_ method: String, rest: String = "", role: String? = role) throws -> FISExport {
        let experiment = try FISFixture.experiment("\(targets)method:\n  - \(method)\n\(rest)")
        return FISExport(experiment, original: nil, roleARN: role)
    }
}
