package import Basics
package import Contracts
package import Experiment

/// Appends unique entries at a constant rate and remembers what was acknowledged; in the end it reads what is left.
package struct LedgerProbe: Probe {
    package static let kind = "redis.ledger"
    package static let manual = Manual(
        summary: "Writes to Redis at a constant rate, remembers every acknowledgement and reads back what is left.",
        details: """
            Arrivals are due at fixed instants whatever the system does. The path `sentinel` finds the primary as clients \
            do: it asks every Sentinel, verifies the answer with ROLE, and follows +switch-master; with `url` instead of \
            `sentinels` the path is called `kept`. With `cluster` the path is `cluster`: each write goes to the owner of its \
            key's slot, and follows MOVED and ASK. With `pinned-rate` a second client stays with the address that was the \
            primary's when the run began, on the path `direct:pinned`: what applications without Sentinel support do, \
            and what loses acknowledged writes after a failover. `direct` adds a writer to each node, on the paths \
            `direct:<node>`. Only the first path counts as service (RTO, availability); all count for lost writes.

            A write is ok when the primary answers it, with `wait` only when so many replicas have confirmed it on the \
            same connection; one that fewer confirmed is unknown (too-few-replicas). WAIT holds up the connection that all \
            writes of a path share: `rate` × the time that replicas take must stay well below one. It has failed only with \
            proof: refused or rejected before a byte was sent, or refused by an error that Redis raises before it executes \
            (READONLY, LOADING, MASTERDOWN, NOREPLICAS, OOM, MISCONF, NOPERM …). A timeout, a broken connection and an \
            error that may be a proxy's own are unknown. All writes of a path share a connection; one on which a write timed \
            out takes no more of them.

            The writes stand in 64 lists, squall:<run>:<probe>:0 to 63, which are in the journal before the first is made \
            and are removed at the end, from the primary and from every node of `nodes` that answers and calls itself one. What a node holds is read before a heal \
            (a resync empties an old primary) and after recovery.
            """,
        example: """
            sessions:
              type: redis.ledger
              sentinels: {s1: redis://127.0.0.1:26001, s2: redis://127.0.0.1:26002, s3: redis://127.0.0.1:26003}
              master: cache
              addresses: {"redis-1:6379": redis://127.0.0.1:6001, "redis-2:6379": redis://127.0.0.1:6002}
              rate: 200/s
              timeout: 1s
              nodes: {redis-1: redis://127.0.0.1:6001, redis-2: redis://127.0.0.1:6002}
            """)
    package static let parameters = LedgerSettings.parameters
    package static let emits: Set<ObservationKind> = [.operations, .readBacks]
    package static let changes = [OwnedKeys.plan]

    package let name: Label
    package let settings: LedgerSettings

    package init(name: Label, from reader: inout ParameterReader) {
        self.init(name: name, LedgerSettings(from: &reader))
    }

    package init(name: Label, _ settings: LedgerSettings) {
        self.name = name
        self.settings = settings
    }

    package func target(forNode node: Label) -> Target? {
        settings.nodes.first { $0.name == node.text }.map { RedisTarget.target(named: node, at: $0.value) }
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(RedisClient.self)
            var findings: [Finding] = []
            let names = NodeNames(settings.nodes)
            for url in try await primaries(client, context) where !settings.nodes.isEmpty && !names.knows(url) {
                findings.append(
                    Finding(
                        .error, "probe \(name): \(url) is none of the nodes \(settings.nodes.map(\.name))",
                        advice: "list it under nodes, or say under addresses which of them it is"))
            }
            for node in settings.nodes {
                if let finding = await client.finding(on: node, probe: name, in: context) { findings.append(finding) }
            }
            return findings
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let client = try context.system.services.require(RedisClient.self)
        let primaries = try await primaries(client, context.system)
        let pinned = settings.primary.cluster.isEmpty ? primaries.first : nil
        return try await LedgerSession.start(name, settings, pinned: pinned, client, context)
    }

    /// Whoever is the primary now; in a cluster, which must be well, every owner of slots.
    private func primaries(_ client: RedisClient, _ context: SystemContext) async throws(FaultError) -> [RedisURL] {
        let location = settings.primary
        guard !location.cluster.isEmpty else {
            return [try await PrimaryFinder(location, client, context.secrets).url(in: context)]
        }
        do throws(RedisError) {
            let reader = ClusterReader(location, client, context.secrets)
            return try await reader.map(until: context.time.now + .seconds(5)).allOwners.map { location.reach($0) }
        } catch {
            var failure = error
            failure.message = context.secrets.redact(error.message)
            throw failure.faultError("\(location.summary) takes no writes", advice: location.advice)
        }
    }
}
