internal import Basics
internal import Contracts
internal import Docker
internal import Experiment

/// A small experiment drawn from the seed: one to four steps on containers and database nodes, judged by every checker
/// whose figure the world knows.
struct SimulatedExperiment {
    static let ledger = "orders"
    static let roles = "roles"

    private(set) var experiment: Experiment
    /// How long success must hold to count as recovered.
    private(set) var hold = Span.zero
    private var draw: Draw
    private let nodes: [String]
    private let others: [String]
    private var settings = 0

    init(seed: UInt64, nodes: [String], others: [String]) {
        draw = Draw(seed: seed)
        self.nodes = nodes
        self.others = others
        experiment = Experiment(file: "simulated.yaml", title: "simulated")
        experiment.probes = [
            Self.declaration(Self.ledger, SimulatedLedger.kind), Self.declaration(Self.roles, SimulatedRoles.kind),
        ]
        experiment.limits = Limits(maxDuration: draw.chance(10) ? .seconds(90) : .minutes(15))
        addSteadyState()
        for number in 1...draw.number(1..<5) { addStep(number) }
        addCriteria()
        if draw.chance(10) { addStopCondition() }
    }

    private mutating func addSteadyState() {
        experiment.steadyState = SteadyState(
            title: "served by one primary", holdFor: .seconds(10),
            expectations: [
                Self.expectation(Self.ledger, "success", Comparison(.atLeast, .share(Share(fraction: 0.99)))),
                Self.expectation(Self.roles, "primaries", Comparison(.equal, .number(1))),
            ])
    }

    // MARK: Steps

    private mutating func addStep(_ number: Int) {
        let name = "s\(number)"
        let fault = drawFault()
        let isSetting = fault.kind == SimulatedSettingFault.kind
        let target = addTarget(number, onOthers: isSetting)
        let starts: [String]? = draw.chance(70) || number == 1 ? nil : []
        // A setting without a mark may be stacked on another one only when the newer one comes off first.
        let duration = isSetting || draw.chance(40) ? nil : draw.span(.seconds(2), .seconds(60))
        experiment.method.append(
            Step(
                name: name, fault: Self.declaration(name, fault.kind, fault.parameters),
                targets: [NamedValue(name: "target", value: target)], duration: duration, startAfter: starts,
                delay: draw.chance(40) ? draw.span(.zero, .seconds(20)) : .zero))
    }

    private mutating func drawFault() -> (kind: String, parameters: [(String, String)]) {
        switch draw.number(0..<100) {
        case ..<28: return (ContainerPauseFault.kind, [])
        case ..<46: return (ContainerKillFault.kind, draw.chance(40) ? [("via", "engine")] : [])
        case ..<52: return (ContainerKillFault.kind, [("signal", "SIGSTOP")])
        case ..<56: return (ContainerKillFault.kind, [("signal", "SIGTERM"), ("within", "5s")])
        case ..<66: return (ContainerStopFault.kind, [("timeout", "5s")])
        case ..<72: return (ContainerRestartFault.kind, [("timeout", "5s")])
        case ..<88: return (SimulatedRuleFault.kind, [])
        default: return (SimulatedSettingFault.kind, [])
        }
    }

    private mutating func addTarget(_ number: Int, onOthers: Bool) -> String {
        let name = "t\(number)"
        let source: TargetDeclaration.Source
        var mode = SelectionMode.all
        switch draw.number(0..<10) {
        case _ where onOthers: source = Self.docker(name, others)
        case 0..<3: source = .probe(name: Self.roles, role: "primary")
        case 3..<4:
            source = .probe(name: Self.roles, role: "replica")
            mode = .one
        case 4..<5: source = Self.docker(name, nodes)
        case 5..<6:
            source = Self.docker(name, nodes + others)
            mode = .fixed(draw.number(1..<3))
        default: source = Self.docker(name, [draw.pick(nodes + others) ?? ""])
        }
        experiment.targets.append(TargetDeclaration(name: name, source: source, mode: mode, location: Self.nowhere))
        return name
    }

    // MARK: What is judged

    private mutating func addCriteria() {
        let window = draw.number(200..<250)
        let seconds = draw.number(12..<20)
        hold = .seconds(Int64(seconds))
        add("rto", Self.ledger, [("max", "\(draw.number(5..<60))s"), ("hold", "\(seconds)s")])
        add("rpo", Self.ledger, [("max-lost-writes", "\(draw.chance(70) ? 0 : draw.number(1..<6))")])
        add("split-brain", Self.roles, [("max", draw.chance(60) ? "0s" : "\(draw.number(2..<60))s")])
        add("availability", Self.ledger, [("min", "\(draw.number(50..<99))%"), ("window", "\(window)s")])
        add("recovery", nil, [("within", "8m")])
    }

    private mutating func add(_ kind: String, _ probe: String?, _ parameters: [(String, String)]) {
        experiment.criteria.append(
            CriterionDeclaration(kind: kind, probe: probe, declaration: Self.declaration(kind, kind, parameters)))
    }

    private mutating func addStopCondition() {
        experiment.stopConditions = [
            StopCondition(
                probe: Self.ledger,
                when: MetricCondition(
                    metric: "success", comparison: Comparison(.below, .share(Share(fraction: 0.5)))),
                holdFor: draw.span(.seconds(3), .seconds(30)), location: Self.nowhere)
        ]
    }

    // MARK: Declarations

    private static let nowhere = Location(file: "simulated.yaml", line: 1, column: 1)

    private static func scalar(_ text: String) -> Node { .scalar(.init(text, at: nowhere)) }

    private static func declaration(_ name: String, _ kind: String, _ parameters: [(String, String)] = [])
        -> Declaration
    {
        let entries = parameters.map { Node.Entry($0.0, at: nowhere, scalar($0.1)) }
        return Declaration(name: name, kind: kind, parameters: .mapping(.init(entries, at: nowhere)), location: nowhere)
    }

    private static func docker(_ name: String, _ names: [String]) -> TargetDeclaration.Source {
        let list = Node.sequence(names.map(scalar), nowhere)
        let parameters = Node.mapping(.init([Node.Entry("names", at: nowhere, list)], at: nowhere))
        return .kind(
            Declaration(name: name, kind: DockerTargetSource.kind, parameters: parameters, location: nowhere))
    }

    private static func expectation(_ probe: String, _ metric: String, _ comparison: Comparison) -> Expectation {
        Expectation(
            probe: probe, tolerance: [MetricCondition(metric: metric, comparison: comparison)], location: nowhere)
    }
}
