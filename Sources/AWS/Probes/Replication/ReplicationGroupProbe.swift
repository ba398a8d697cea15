package import Basics
package import Contracts
package import Experiment

/// Watches an ElastiCache replication group as ElastiCache shows it.
package struct ReplicationGroupProbe: Probe {
    package static let kind = "elasticache.replication-group"
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["available"]

    private static let form = AWSPolling.Form(every: .seconds(1), written: "1s")
    private static let groupParameter = Parameter<String>.required(
        "group", .text, "The replication group's identifier or ARN.")
    package static let parameters: [any AnyParameter] = [groupParameter] + form.parameters

    package let name: Label
    let group: ResourceName
    let polling: AWSPolling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        group = ResourceName(Self.groupParameter, of: .replicationGroup, from: &reader)
        polling = AWSPolling(Self.form, from: &reader)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        await polling.preflight(name, group.arn, in: context) { access throws(FaultError) in
            Self.findings(on: try await access.replicationGroup(group.id), probe: name)
        }
    }

    static func findings(on group: ReplicationGroup, probe: Label) -> [Finding] {
        let advice = "aws elasticache describe-replication-groups --replication-group-id \(group.id)"
        var findings: [Finding] = []
        if group.status != ReplicationGroup.available {
            findings.append(
                Finding(
                    .warning, "probe \(probe): replication group \(group.id) is \(group.status), not available",
                    advice: advice))
        }
        if group.isClusterMode {
            findings.append(
                Finding(
                    .warning,
                    "probe \(probe): \(group.id) is in cluster mode, where ElastiCache does not say which node is primary",
                    advice: "redis.roles with the nodes' own addresses, or aws.events, shows a failover"))
        }
        return findings
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        ReplicationGroupSession(self, try await polling.access(group.arn, in: context.system), context.system)
    }

    package static let manual = Manual(
        summary: "Watches an ElastiCache replication group: roles of its nodes, status, endpoints.",
        details: """
            Each node is reported under its cache cluster's identifier, cache-001: primary or replica as ElastiCache says, \
            `detail` is the group's status, `identity` its ARN. In cluster mode ElastiCache names no primary: nodes are \
            then `member`, and redis.cluster or aws.events show a failover. When ElastiCache does not answer, or lists a \
            node no more, it is unreachable. Changes of status, primary, endpoint and automatic failover are noted.

            `available` is 1 while the group's status is available. During a failover ElastiCache keeps showing the old \
            roles for a while, and the group becomes available again only when the failed node is replaced, minutes after \
            clients could write: what clients lose is measured by redis.ledger. The nodes are no targets; the group is: \
            `{aws: {type: replication-group, ids: [cache]}}`.
            """,
        example: """
            cache: {type: elasticache.replication-group, group: cache, region: us-east-1}
            """)
}
