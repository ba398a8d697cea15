package import Basics
package import Contracts
package import Experiment

/// Asks each Redis directly, again and again, what it takes itself to be.
package struct RolesProbe: SamplingProbe {
    package static let kind = "redis.roles"
    package static let manual = Manual(
        summary: "Asks each Redis directly for its role, replication id and offset.",
        details: """
            Each node has a connection of its own, past every proxy and Sentinel, which is opened again after it broke. At \
            most one question per node is under way; a node that hangs delays no other, and counts as unreachable after \
            `timeout`. So does one that is still loading its data.

            `position` is the offset of the replication stream: written (primary) or received (replica). A change of role \
            is noted on the timeline of the run; so is another process under the same address (its run id changed), and \
            two primaries of which one came from the other's history, with the offset at which they part. As long as both are \
            there, the measurement `diverged` says how many bytes of replication stream the old one has that the new one \
            never got, keep-alives included: a lower bound while the old one goes on. The nodes are targets: `{from: roles, is: primary}` is whoever is primary \
            when the fault is injected.
            """,
        example: """
            roles:
              type: redis.roles
              every: 50ms
              nodes:
                redis-1: redis://127.0.0.1:6381
                redis-2: redis://127.0.0.1:6382
            """)
    package static let emits: Set<ObservationKind> = [.states, .measurements]
    package static let metrics = ["diverged"]

    private static let form = NodeSampling.Form(
        nodes: "Each node's own address, never an endpoint that may lead elsewhere.", every: .milliseconds(100),
        written: "100ms")
    package static let parameters: [any AnyParameter] = form.parameters

    package let name: Label
    package let sampling: NodeSampling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        sampling = NodeSampling(Self.form, from: &reader)
    }

    package func preflight(in context: SystemContext) async -> [Finding] {
        var findings: [Finding] = []
        var states: [String: NodeState] = [:]
        for node in nodes {
            let deadline = context.time.now + .seconds(5)
            do throws(FaultError) {
                let client = try context.services.require(RedisClient.self)
                let action = "probe \(name): node \(node.name) does not answer"
                let answer = try await client.session(node.value, in: context, until: deadline, action) {
                    connection throws(RedisError) in
                    try await connection.call(RolesSession.question, until: deadline)
                }
                if let state = answer.text.flatMap({ NodeState(info: $0) }) {
                    states[node.name] = state
                } else {
                    findings.append(
                        Finding(
                            .error, "probe \(name): node \(node.name) is no data node: it says nothing of replication",
                            advice: "redis-cli -u '\(node.value)' INFO; a Sentinel is none"))
                }
            } catch {
                findings.append(Finding(.warning, error.explained, advice: error.advice))
            }
        }
        if states.isEmpty && !nodes.isEmpty {
            findings.append(
                Finding(
                    .error, "probe \(name): none of the \(nodes.count) nodes answers",
                    advice: "redis-cli -u '\(nodes[0].value)' INFO replication"))
        }
        if Self.areStrangers(Array(states.values)) {
            let list = states.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.replication)" }
            findings.append(
                Finding(
                    .error,
                    "probe \(name): the nodes do not hold one history: \(list.joined(separator: ", "))",
                    advice: "redis-cli -u '\(nodes[0].value)' INFO replication, on each of them"))
        }
        return findings
    }

    /// Whether some node's data comes from none of the others. One that has just been promoted names its origin.
    static func areStrangers(_ states: [NodeState]) -> Bool {
        var rest = states
        var known = Set(rest.popLast().map(\.histories) ?? [])
        while let index = rest.firstIndex(where: { !known.isDisjoint(with: $0.histories) }) {
            known.formUnion(rest.remove(at: index).histories)
        }
        return !rest.isEmpty
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        RolesSession(self, try context.system.services.require(RedisClient.self), context.system)
    }
}
