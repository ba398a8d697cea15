package import Basics
package import Contracts
package import Experiment

/// Asks every node of a Redis Cluster how the cluster is.
package struct ClusterProbe: SamplingProbe {
    package static let kind = "redis.cluster"
    package static let manual = Manual(
        summary: "Asks every node of a Redis Cluster for its state and the slots it sees covered.",
        details: """
            Each node's state is what CLUSTER INFO says there: ok or fail, or unreachable; `generation` is the cluster's \
            epoch as the node knows it. The measurement `uncovered` is how many of the 16,384 slots that node sees without an \
            owner that is well, `primaries` how many nodes it knows that own slots. Who is primary in a shard is what redis.roles \
            says, one such probe for the nodes of each shard. The nodes are targets: `{from: cluster, is: ok}`.
            """,
        example: """
            cluster:
              type: redis.cluster
              nodes: {c1: redis://127.0.0.1:6391, c2: redis://127.0.0.1:6392, c3: redis://127.0.0.1:6393}
            """)
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["uncovered", "primaries"]

    private static let form = NodeSampling.Form(
        nodes: "Every node's own address.", every: .milliseconds(200),
        written: "200ms")
    package static let parameters: [any AnyParameter] = form.parameters

    package let name: Label
    package let sampling: NodeSampling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        sampling = NodeSampling(Self.form, from: &reader)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        var findings: [Finding] = []
        for node in nodes {
            let deadline = context.time.now + .seconds(5)
            do throws(FaultError) {
                let client = try context.services.require(RedisClient.self)
                let action = "probe \(name): node \(node.name) is no node of a cluster that answers"
                _ = try await client.session(node.value, in: context, until: deadline, action) {
                    connection throws(RedisError) in
                    try await connection.call(["CLUSTER", "INFO"], until: deadline)
                }
            } catch {
                let isOther = error.code == .unexpected
                findings.append(Finding(isOther ? .error : .warning, error.explained, advice: error.advice))
            }
        }
        if findings.count == nodes.count, !nodes.isEmpty {
            findings.append(
                Finding(
                    .error, "probe \(name): none of the \(nodes.count) nodes answers",
                    advice: "redis-cli -u '\(nodes[0].value)' CLUSTER INFO"))
        }
        return findings
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        ClusterSession(probe: self, client: try context.system.services.require(RedisClient.self), context.system)
    }
}

/// The cluster probe at work: one loop per node.
struct ClusterSession: ProbeSession {
    private let probe: ClusterProbe
    private let client: RedisClient
    private let context: SystemContext

    init(probe: ClusterProbe, client: RedisClient, _ context: SystemContext) {
        self.probe = probe
        self.client = client
        self.context = context
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for node in probe.nodes { group.addTask { await watch(Label(node.name), node.value) } }
        }
    }

    func close() async throws(FaultError) {}

    private func watch(_ node: Label, _ url: RedisURL) async {
        let connections = KeptConnections(client, url, context.secrets)
        await context.time.everyTick(probe.every) {
            let sent = context.time.now
            do throws(RedisError) {
                let answers = try await connections.call(
                    pipeline: [["CLUSTER", "INFO"]], until: sent + probe.timeout)
                guard !Task.isCancelled else { return }
                record(node, answers, sent)
            } catch {
                guard !Task.isCancelled else { return }
                recordSilence(node, sent, error.endedAt ?? context.time.now, Label(error.reason))
            }
        }
        await connections.close()
    }

    private func record(_ node: Label, _ answers: RedisConnection.Answers, _ sent: Instant) {
        guard let info = answers.values.first?.text, let state = infoField("cluster_state", in: info) else {
            return recordSilence(node, sent, answers.endedAt, "unexpected answer")
        }
        context.record(
            .state(
                StateSample(
                    probe: probe.name, node: node, sent: sent, end: answers.endedAt, state: Label(state),
                    generation: infoField("cluster_current_epoch", in: info).flatMap { Int64($0) })))
        let covered = infoField("cluster_slots_ok", in: info).flatMap { Double($0) }
        let primaries = infoField("cluster_size", in: info).flatMap { Double($0) }
        for (metric, value) in [("uncovered", covered.map { Double(SlotMap.count) - $0 }), ("primaries", primaries)] {
            guard let value else { continue }
            context.record(
                .measurement(
                    Measurement(
                        probe: probe.name, node: node, metric: Label(metric), at: answers.endedAt, value: value,
                        unit: .count)))
        }
    }

    private func recordSilence(_ node: Label, _ sent: Instant, _ end: Instant, _ reason: Label) {
        context.record(.state(StateSample(silent: node, probe.name, sent: sent, end: end, reason)))
    }
}
