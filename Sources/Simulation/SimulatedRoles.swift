internal import Basics
internal import Contracts
internal import Experiment

/// Looks at the role of each node of the simulated cluster, as the real probe does.
struct SimulatedRoles: Probe {
    static let kind = "simulated.roles"
    static let manual = Manual(summary: "", details: "", example: "")
    static let parameters: [any AnyParameter] = []
    static let emits: Set<ObservationKind> = [.states]

    let name: Label

    init(name: Label, from reader: inout ParameterReader) {
        self.name = name
    }

    func preflight(in context: SystemContext) async -> [Finding] { [] }

    func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        RolesSession(
            name: name, character: try context.system.services.require(ProbeCharacter.self), context: context.system,
            caller: try context.system.services.require(Caller.self))
    }
}

private struct RolesSession: ProbeSession {
    let name: Label
    let character: ProbeCharacter
    let context: SystemContext
    let caller: Caller

    /// A node that gives no answer costs a look half a second.
    private static let silence = Span.milliseconds(500)

    func run() async {
        let process = caller.process
        let start = process.now
        var number: Int64 = 1
        var silent: [StateSample] = []
        while !Task.isCancelled {
            guard (try? await process.sleep(until: start + character.looksEvery * number)) != nil, !process.isDead
            else {
                return
            }
            for sample in silent { context.record(.state(sample)) }
            silent.removeAll(keepingCapacity: true)
            let sent = process.now
            let looks = caller.system.at { state in
                state.cluster.nodes.indices.map { (state.cluster.nodes[$0].name, state.cluster.look(at: $0)) }
            }
            for (node, look) in looks {
                let sample = StateSample(
                    probe: name, node: node, sent: sent, end: look.isPrompt ? sent : sent + Self.silence,
                    state: look.state, detail: look.detail)
                if look.isPrompt { context.record(.state(sample)) } else { silent.append(sample) }
            }
            number += 1
        }
    }

    func close() async throws(FaultError) {}
}
