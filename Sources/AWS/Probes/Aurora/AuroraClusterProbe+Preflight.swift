internal import Basics
package import Contracts
internal import Experiment
internal import Postgres

extension AuroraClusterProbe {
    private static let patience = Span.seconds(5)
    static let roleQuestion = "SELECT pg_is_in_recovery()"

    package func preflight(in context: SystemContext) async -> [Finding] {
        await polling.preflight(name, cluster.arn, in: context) { access throws(FaultError) in
            let found = try await access.cluster(cluster.id)
            known.take(region: access.region)
            known.see(found.members.map(\.instance))
            var findings = Self.findings(on: found, probe: name)
            findings += await readTags(of: found, access)
            findings += Self.findings(on: instances.map(\.name), of: found, usesSQL: endpoint != nil, probe: name)
            for instance in instances { findings += await look(at: instance, in: context) }
            if let endpoint { findings += await look(at: endpoint, in: context) }
            return findings
        }
    }

    /// What would spoil the run from its beginning.
    static func findings(on cluster: DatabaseCluster, probe: Label) -> [Finding] {
        var findings: [Finding] = []
        if !cluster.isAvailable {
            findings.append(
                Finding(
                    .warning, "probe \(probe): cluster \(cluster.id) is \(cluster.status), not available",
                    advice: "aws rds wait db-cluster-available --db-cluster-identifier \(cluster.id)"))
        }
        if cluster.writer == nil {
            findings.append(
                Finding(
                    .warning, "probe \(probe): no member of cluster \(cluster.id) has the writer's flag",
                    advice: "aws rds describe-db-clusters --db-cluster-identifier \(cluster.id)"))
        }
        return findings
    }

    /// Names that are no members, and SQL to an engine that speaks another language.
    static func findings(
        on instances: [String], of cluster: DatabaseCluster, usesSQL: Bool, probe: Label
    ) -> [Finding] {
        let members = cluster.members.map { $0.instance.lowercased() }
        var findings = instances.filter { !members.contains($0) }.map { instance in
            Finding(
                .error, "probe \(probe): \(instance) is no member of cluster \(cluster.id)",
                advice: "its members are \(members.joined(separator: ", "))")
        }
        let isOther = !cluster.engine.isEmpty && !cluster.engine.hasSuffix("postgresql")
        if usesSQL || !instances.isEmpty, isOther {
            findings.append(
                Finding(
                    .error, "probe \(probe): cluster \(cluster.id) is \(cluster.engine), and only PostgreSQL is asked",
                    advice: "leave endpoint-dsn and instances out"))
        }
        return findings
    }

    /// Lists of members show no tags; without them a protected instance would not be known as one.
    private func readTags(of cluster: DatabaseCluster, _ access: AWSAccess) async -> [Finding] {
        do throws(FaultError) {
            known.take(tagsOf: try await access.databaseInstances().filter { $0.cluster == cluster.id })
            return []
        } catch {
            return [
                Finding(
                    .warning,
                    "probe \(name): the instances' tags cannot be read, so limits.protect.labels does not hold for "
                        + "targets of this probe: \(error.explained)", advice: error.advice)
            ]
        }
    }

    /// An instance may be down on purpose.
    private func look(at instance: NamedValue<DSN>, in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            _ = try await ask(instance.value, "instance \(instance.name) does not answer", in: context)
            return []
        } catch {
            return [Finding(.warning, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    /// The service's own way in must be open, and lead to a writer. Nothing is written before the run.
    private func look(at endpoint: DSN, in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            guard try await ask(endpoint, "the writer endpoint does not answer", in: context) == false else {
                return [
                    Finding(
                        .error,
                        "probe \(name): endpoint-dsn leads to an instance that is in recovery and takes no writes",
                        advice: "psql '\(endpoint)' -c 'SELECT inet_server_addr(), pg_is_in_recovery()'")
                ]
            }
            return []
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    private func ask(_ dsn: DSN, _ action: String, in context: SystemContext) async throws(FaultError) -> Bool? {
        let client = try context.services.require(PostgresClient.self)
        let deadline = context.time.now + Self.patience
        return try await client.session(dsn, in: context, until: deadline, action) { connection throws(PostgresError) in
            try await connection.query(Self.roleQuestion, until: deadline)
        }.boolean(0, 0)
    }
}
