package import Basics
package import Contracts
package import Experiment

/// Asks every Sentinel for its view, and puts what they announce on the run's timeline.
package struct SentinelsProbe: SamplingProbe {
    package static let kind = "redis.sentinels"
    package static let manual = Manual(
        summary: "Asks every Sentinel whom it takes for the primary, and notes what they announce.",
        details: """
            Each Sentinel's state is up, down (this one takes the primary for dead), agreed-down (so do enough of them for \
            its quorum), failing-over, or unreachable; `generation` is its configuration epoch, `identity` the address it \
            names. The measurement `views` counts the different addresses named at that moment (1: they agree), `usable` \
            how many Sentinels say that quorum and majority can be reached (SENTINEL CKQUORUM). All events that a Sentinel \
            publishes (+sdown, +odown, +try-failover, +switch-master …) are notes on the timeline, with its name: the control \
            plane's account beside the clients'. The Sentinels are targets: `{from: sentinels, is: up}`.
            """,
        example: """
            sentinels:
              type: redis.sentinels
              master: cache
              nodes: {s1: redis://127.0.0.1:26001, s2: redis://127.0.0.1:26002, s3: redis://127.0.0.1:26003}
            """)
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["views", "usable"]

    private static let form = NodeSampling.Form(
        nodes: "Every Sentinel's own address.", every: .milliseconds(200),
        written: "200ms")
    private static let masterParameter = Parameter<String>.defaulted(
        "master", .text, to: "mymaster", written: "mymaster", "The name under which they watch the primary.")
    package static let parameters: [any AnyParameter] = form.parameters + [masterParameter]

    package let name: Label
    package let sampling: NodeSampling
    let master: String

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        sampling = NodeSampling(Self.form, from: &reader)
        master = reader.value(Self.masterParameter)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        var findings: [Finding] = []
        var views: [String: String] = [:]
        for node in nodes {
            do throws(FaultError) {
                views[node.name] = try await view(of: node, in: context).address
            } catch {
                let isUnknown = error.code == .notFound
                findings.append(Finding(isUnknown ? .error : .warning, error.explained, advice: error.advice))
            }
        }
        if views.isEmpty, !nodes.isEmpty, !findings.contains(where: { $0.severity == .error }) {
            findings.append(
                Finding(
                    .error, "probe \(name): none of the \(nodes.count) Sentinels answers",
                    advice: "redis-cli -u '\(nodes[0].value)' SENTINEL MASTERS"))
        }
        if Set(views.values).count > 1 {
            let list = views.sorted { $0.key < $1.key }.map { "\($0.key) names \($0.value)" }
            findings.append(
                Finding(
                    .warning, "probe \(name): the Sentinels do not agree: \(list.joined(separator: ", "))",
                    advice: "redis-cli -u '\(nodes[0].value)' SENTINEL CKQUORUM \(master)"))
        }
        return findings
    }

    private func view(
        of node: NamedValue<RedisURL>, in context: SystemContext
    ) async throws(FaultError) -> SentinelView {
        let client = try context.services.require(RedisClient.self)
        let deadline = context.time.now + .seconds(5)
        let action = "probe \(name): Sentinel \(node.name) does not answer"
        let answer = try await client.session(node.value, in: context, until: deadline, action) {
            connection throws(RedisError) in
            try await connection.call(pipeline: [["SENTINEL", "MASTER", master]], until: deadline)
        }
        guard let view = answer.values.first.flatMap({ SentinelView($0) }) else {
            var said = "its answer was not understood"
            if case .error(let text) = answer.values.first { said = text }
            throw FaultError(
                .notFound, "probe \(name): \(node.name) knows no primary with the name \(master): \(said)",
                advice: "redis-cli -u '\(node.value)' SENTINEL MASTERS")
        }
        return view
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        SentinelsSession(self, try context.system.services.require(RedisClient.self), context.system)
    }
}
