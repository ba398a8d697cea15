/// What an action of AWS can be limited to: the table that makes a policy the least one.
///
/// From AWS's service authorization reference; `research/aws.md`, section 6, says what was verified. An action that is
/// not here is allowed on everything and reported.
enum PolicyScope: Sendable, Hashable {
    /// AWS knows no narrower resource: `*`.
    case everything
    /// AWS knows one, and it is not known before the run: what will be made then. The texts are ARNs' last parts.
    case unknown([String], why: String)
    /// The step's targets.
    case target
    /// The subnets that are cut off, and whatever ACL they have or get.
    case subnetAndACL
    /// Ours, by the tag that it is made with.
    case ourACL
    case newACL
    /// The clusters of a global cluster, and itself.
    case globalCluster
    case hostedZoneChange
    case hostedZone
    case change
    case healthCheck
    /// The ARN that a parameter of the step holds.
    case parameter(String)
    /// Tasks of the cluster.
    case tasks
    /// `*`, within the cluster.
    case cluster
    case template
    case experiment
    case templateAndExperiment
    /// A document of SSM on instances.
    case command

    static let ofAction: [String: PolicyScope] = [
        "rds:FailoverDBCluster": .target, "rds:StopDBCluster": .target, "rds:StartDBCluster": .target,
        "rds:RebootDBInstance": .target,
        "rds:FailoverGlobalCluster": .globalCluster, "rds:SwitchoverGlobalCluster": .globalCluster,
        "elasticache:TestFailover": .target,
        "ec2:StopInstances": .target, "ec2:StartInstances": .target, "ec2:RebootInstances": .target,
        "ec2:TerminateInstances": .target,
        "ec2:CreateSecurityGroup": .unknown(["security-group/*", "vpc/*"], why: PolicyScope.beforeItExists),
        "ec2:RevokeSecurityGroupEgress": .unknown(["security-group/*"], why: PolicyScope.beforeItExists),
        "ec2:DeleteSecurityGroup": .unknown(["security-group/*"], why: PolicyScope.beforeItExists),
        "ec2:ModifyNetworkInterfaceAttribute": .unknown(
            ["instance/*", "network-interface/*", "security-group/*"],
            why: "the interfaces and their groups are known when the step starts"),
        "ec2:CreateNetworkAcl": .unknown(["network-acl/*", "vpc/*"], why: PolicyScope.beforeItExists),
        "ec2:CreateTags": .newACL, "ec2:DeleteNetworkAcl": .ourACL,
        "ec2:ReplaceNetworkAclAssociation": .subnetAndACL,
        "route53:ChangeResourceRecordSets": .hostedZoneChange, "route53:ListResourceRecordSets": .hostedZone,
        "route53:GetChange": .change, "route53:UpdateHealthCheck": .healthCheck,
        "route53:GetHealthCheck": .healthCheck,
        "arc-zonal-shift:StartZonalShift": .parameter("resource"),
        "arc-zonal-shift:CancelZonalShift": .parameter("resource"),
        "arc-zonal-shift:GetManagedResource": .parameter("resource"),
        "route53-recovery-cluster:UpdateRoutingControlState": .parameter("control"),
        "route53-recovery-cluster:GetRoutingControlState": .parameter("control"),
        "ecs:StopTask": .tasks, "ecs:DescribeTasks": .tasks, "ecs:ListTasks": .cluster,
        "fis:GetExperimentTemplate": .template, "fis:StartExperiment": .templateAndExperiment,
        "fis:GetExperiment": .experiment, "fis:StopExperiment": .experiment, "fis:TagResource": .experiment,
        "fis:GetSafetyLever": .unknown(["safety-lever/*"], why: "an account has one, of no name of its own"),
        "ssm:SendCommand": .command,
    ].merging(unlimited) { first, _ in first }

    private static let beforeItExists = "what Squall makes has no identifier before it exists"

    /// Reads, mostly, that take `*` only, or of which Squall asks for the whole list.
    private static let unlimited = Dictionary(
        [
            "arc-zonal-shift:ListZonalShifts", "cloudwatch:DescribeAlarms", "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus",
            "ec2:DescribeNetworkAcls", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets", "ec2:DescribeVpcs", "elasticache:DescribeEvents",
            "elasticache:DescribeReplicationGroups", "fis:ListExperiments", "rds:DescribeDBClusters",
            "rds:DescribeDBInstances", "rds:DescribeEvents", "rds:DescribeGlobalClusters", "ssm:CancelCommand",
            "ssm:GetCommandInvocation", "ssm:ListCommands",
        ].map { ($0, PolicyScope.everything) }
    ) { first, _ in first }

    /// What AWS does in the caller's name when an action is called, and asks the caller's rights for.
    static let dependents: [String: [String]] = [
        "elasticache:TestFailover": [
            "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        ]
    ]

    /// What may be needed beyond the policy, and only somebody who knows the account can tell.
    static let advice: [String: String] = [
        "ec2:StartInstances": "volumes that are encrypted with a key of yours need kms:CreateGrant on that key, too",
        "fis:StartExperiment": "the account's first FIS experiment needs iam:CreateServiceLinkedRole, too",
    ]
}
