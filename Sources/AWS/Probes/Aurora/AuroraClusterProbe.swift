package import Basics
package import Contracts
package import Experiment
internal import Postgres

/// Watches an Aurora cluster from both sides: what RDS says of it, and what its instances and its endpoint do.
package struct AuroraClusterProbe: Probe {
    package static let kind = "aurora.cluster"
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = [
        "available", "writers", "sql-writers", "writable", "replica-lag", "global-lag", "global-rpo",
    ]

    private static let form = AWSPolling.Form(every: .seconds(1), written: "1s")
    private static let clusterParameter = Parameter<String>.required(
        "cluster", .text, "The DB cluster's identifier or ARN.")
    private static let endpointParameter = Parameter<DSN?>.optional(
        "endpoint-dsn", .dsn, "PostgreSQL through the writer endpoint: a write is tried with every look.")
    private static let instancesParameter = Parameter<[NamedValue<DSN>]>.defaulted(
        "instances", .map(.dsn), to: [], written: "{}",
        "Instances' own endpoints by instance identifier: each is asked over SQL whether it writes.")
    package static let parameters: [any AnyParameter] =
        [clusterParameter, endpointParameter, instancesParameter] + form.parameters

    package let name: Label
    let cluster: ResourceName
    let endpoint: DSN?
    let instances: [NamedValue<DSN>]
    let polling: AWSPolling
    /// Filled by preflight and by the session; copies of the probe share it.
    let known = KnownInstances()

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        cluster = ResourceName(Self.clusterParameter, of: .auroraCluster, from: &reader)
        endpoint = reader.value(Self.endpointParameter)
        instances = reader.value(Self.instancesParameter).map {
            NamedValue(name: $0.name.lowercased(), value: $0.value)
        }
        polling = AWSPolling(Self.form, from: &reader)
    }

    package func target(forNode node: Label) -> Target? { known.target(node.text) }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let access = try await polling.access(cluster.arn, in: context.system)
        known.take(region: access.region)
        let usesSQL = endpoint != nil || !instances.isEmpty
        let sql = usesSQL ? try context.system.services.require(PostgresClient.self) : nil
        return AuroraClusterSession(self, access, sql, context.system)
    }

    package static let manual = Manual(
        summary: "Watches an Aurora cluster: writer, status and endpoint as RDS shows them, and the truth over SQL.",
        details: """
            Each member is a node under its instance identifier: primary when it has the writer's flag, else replica; \
            `identity` is the cluster's ARN, `detail` the cluster's status. When RDS does not answer, or lists a member no \
            more, the node is unreachable. Changes of status, writer and writer endpoint are noted on the timeline. The \
            nodes are targets: `{from: cluster, is: primary}` is the rds-instance that writes when the fault is injected \
            (keep `every` at 1s: a state older than 2s leads to no target); an instance's tags are its labels.

            `available` is 1 while the cluster's status is available, `writers` the number of members with the flag. RDS \
            shows a change some time after it happened, and for moments shows no writer, or the old one: RTO and RPO are \
            measured by a postgres.ledger on the endpoint, not here.

            With `endpoint-dsn` a connection is opened anew for each look, as a client that lost its own would, and a \
            write is committed that leaves no data (txid_current and a transactional log message, which logical decoding \
            plugins that show messages pass on under the prefix squall; without the right to it the write waits for no \
            synchronous replica). `writable` is 1 when it succeeded. A failover is over, and noted so once, only when \
            another member has the flag, the status is available, and a write that began after that succeeded. Without \
            `endpoint-dsn` this is never said. The system's resolver finds the endpoint: dns.record shows what name \
            servers say of it.

            With `instances` each of these is asked whether it is in recovery; `sql-writers` is how many say that they \
            are not, which can differ from the flag. An instance that does not answer is not counted: 1 is no proof \
            against a second writer that is cut off.

            On Aurora PostgreSQL `replica-lag` is each replica's lag by aurora_replica_status(), `global-lag` and \
            `global-rpo` that of each secondary region by aurora_global_db_status(), asked where the writer is (the \
            endpoint, else the instance that says it is). Elsewhere these functions do not exist, and nothing is recorded.
            """,
        example: """
            cluster:
              type: aurora.cluster
              cluster: orders
              region: us-east-1
              endpoint-dsn: "host=orders.cluster-abc.us-east-1.rds.amazonaws.com user=app dbname=app"
              instances:
                orders-1: "host=orders-1.abc.us-east-1.rds.amazonaws.com user=app dbname=app"
                orders-2: "host=orders-2.abc.us-east-1.rds.amazonaws.com user=app dbname=app"
            """)
}
