/// Which action of FIS and which fault of Squall do the same: the table that an import and an export both read.
struct FISActionMap: Sendable {
    /// What becomes of one parameter of an action.
    enum Rule: Sendable, Hashable {
        /// It says how long the fault lasts: the step's duration.
        case duration(String)
        /// `true` or `false`, under another name here.
        case flag(String, ours: String)
        /// It says how long something may take.
        case timeout(String)
        /// The ARN of a document of SSM, here a name or an ARN.
        case document
        /// A text that holds JSON, here a mapping from names to lists.
        case documentParameters
        /// How much traffic is cut.
        case scope
    }

    /// `aws:ec2:stop-instances`
    var action: String
    /// `ec2.stop`
    var fault: String
    /// What the action calls its target: `Instances`.
    var role: String
    var type: ResourceType
    var rules: [Rule] = []
    /// Parameters of the fault that FIS has not, with the value that changes nothing.
    var harmless: [String: String] = [:]

    static let all = [
        FISActionMap(
            action: "aws:ec2:stop-instances", fault: "ec2.stop", role: "Instances", type: .computeInstance,
            rules: [.duration("startInstancesAfterDuration")], harmless: ["force": "false"]),
        FISActionMap(
            action: "aws:ec2:reboot-instances", fault: "ec2.reboot", role: "Instances", type: .computeInstance),
        FISActionMap(
            action: "aws:ec2:terminate-instances", fault: "ec2.terminate", role: "Instances", type: .computeInstance),
        FISActionMap(
            action: "aws:rds:failover-db-cluster", fault: "aurora.failover", role: "Clusters", type: .auroraCluster),
        FISActionMap(
            action: "aws:rds:reboot-db-instances", fault: "rds.reboot", role: "DBInstances", type: .databaseInstance,
            rules: [.flag("forceFailover", ours: "force-failover")]),
        FISActionMap(action: "aws:ecs:stop-task", fault: "ecs.stop-task", role: "Tasks", type: .containerTask),
        FISActionMap(
            action: "aws:ssm:send-command", fault: "ssm.run-command", role: "Instances", type: .computeInstance,
            rules: [.document, .documentParameters, .timeout("duration")]),
        FISActionMap(
            action: "aws:network:disrupt-connectivity", fault: "network-acl.isolate", role: "Subnets", type: .subnet,
            rules: [.duration("duration"), .scope]),
    ]

    static func of(action: String) -> FISActionMap? { all.first { $0.action == action } }
    static func of(fault: String) -> FISActionMap? { all.first { $0.fault == fault } }

    /// The action lasts, and ends by itself.
    var lasts: Bool {
        rules.contains { if case .duration = $0 { true } else { false } }
    }

    /// Why an action has no counterpart, with what comes nearest.
    static func whyNot(action: String) -> String {
        let nearest = [
            "aws:arc:start-zonal-autoshift": "arc.zonal-shift moves the traffic of one load balancer",
            "aws:cloudwatch:assert-alarm-state": "a steady state on a cloudwatch.alarm probe says the same",
            "aws:elasticache:replicationgroup-interrupt-az-power": "elasticache.test-failover fails one shard over",
            "aws:ssm:start-automation-execution": "ssm.run-command runs command documents only",
        ]
        if let hint = nearest[action] { return "Squall has no such fault; \(hint)" }
        return "Squall has no such fault; fis.experiment runs the template as it is"
    }

    /// Why a fault cannot be put into a template.
    static func whyNot(fault: String) -> String {
        switch fault {
        case "fis.experiment": "it starts a template of its own, and FIS nests none"
        case "aurora.global-failover", "aurora.global-switchover", "elasticache.test-failover", "route53.weight",
            "route53.health-check", "arc.routing-control", "arc.zonal-shift", "aurora.stop", "security-group.isolate":
            "FIS has no such action"
        default: "FIS acts on resources of AWS only"
        }
    }
}

/// Why something cannot be said in the other form.
struct FISReason: Error, Sendable, Hashable {
    var text: String

    init(_ text: String) {
        self.text = text
    }
}

/// Something that an import or an export leaves out, and why.
package struct FISObstacle: Sendable, Hashable, Encodable {
    /// The action's, step's or probe's name.
    package var name: String
    /// The action's identifier or the fault's kind.
    package var kind: String
    package var reason: String

    package var line: String { "\(name) (\(kind)): \(reason)" }
}
