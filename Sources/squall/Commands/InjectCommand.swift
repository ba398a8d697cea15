internal import ArgumentParser
internal import Basics
internal import Contracts
internal import Experiment

/// `squall inject`
struct InjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inject",
        abstract: "Injects one fault for a stated time, with the same journal and heal as a run.",
        discussion: """
            Example: squall inject container.pause --target name=web-1 --duration 30s
            Example: squall inject container.kill --target label.app=web --set signal=SIGTERM --duration 10s
            Example: squall inject network.partition --target name=web-1 --against name=db-1 --max-targets 2 --duration 30s
            Example: squall inject network.delay --target label.app=web --set delay=100ms --set jitter=10ms --duration 1m
            Example: squall inject ec2.stop --target aws=ec2-instance --target tag.app=web --mode one --duration 2m
            """)

    @Argument(help: "A fault that squall list faults shows.")
    var kind: String
    @Option(
        help: """
            name=…, image=…, compose-service=…, regex=… or label.KEY=VALUE of containers; aws=TYPE with id=…, arn=…, \
            tag.KEY=VALUE, zone=… or region=… of resources. Several are ANDed.
            """)
    var target: [String] = []
    @Option(help: "The other side of a fault between two, as --target is written, or address=10.0.0.0/8.")
    var against: [String] = []
    @Option(help: "Which of the targets that match: one, all (default), or fixed:N.")
    var mode = "all"
    @Option(name: .customLong("set"), help: "A parameter of the fault: key=value. May be repeated.")
    var parameters: [String] = []
    @Option(help: "How long the fault lasts; then it is healed.")
    var duration: String
    @Option(help: "At most this many targets.")
    var maxTargets = 1
    @OptionGroup var runs: RunsOptions
    @OptionGroup var safety: SafetyOptions
    @OptionGroup var format: FormatOptions

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        try safety.check()
        let systems = try makeSystems()
        let experiment = try experiment(systems.registry)
        try await refuseDirtyJournals(runs.folder, systems)
        try await execute(
            systems, experiment, source: CommandLine.arguments.dropFirst().joined(separator: " "),
            runsFolder: runs.folder, format: format)
    }

    /// What one fault is judged by: it showed its effect, and was healed and read back in time.
    private func criterion(_ span: Span) -> CriterionDeclaration {
        let within = Node.scalar(Node.Scalar("\(span + .minutes(2))", at: Self.place))
        let parameters = Node.mapping(Node.Mapping([Node.Entry("within", at: Self.place, within)], at: Self.place))
        return CriterionDeclaration(
            kind: "recovery",
            declaration: Declaration(name: "recovery", kind: "recovery", parameters: parameters, location: Self.place))
    }

    private func experiment(_ registry: Registry) throws -> Experiment {
        guard registry.fault(kind) != nil else {
            let hint = suggestion(for: kind, among: registry.faults.map { $0.kind }).map { "did you mean \($0)?" }
            throw failure(2, "no fault '\(kind)' is known", next: hint ?? "squall list faults")
        }
        guard let span = Span(parsing: duration), span > .zero else {
            throw failure(2, "--duration '\(duration)' is no duration with its unit", next: "--duration 30s")
        }
        if let type = registry.fault(kind) { try checkSides(type.targeting, dividedBy: type.division) }
        var experiment = Experiment(file: "command line", title: "inject \(kind)")
        let declaration = Declaration(name: kind, kind: kind, parameters: try parameterNode(), location: Self.place)
        let one = target.isEmpty ? [] : [NamedValue(name: "target", value: "target")]
        let two = [NamedValue(name: "a", value: "target"), NamedValue(name: "b", value: "against")]
        let roles = against.isEmpty ? one : two
        experiment.method = [
            Step(name: kind, fault: declaration, targets: roles, duration: span, startAfter: nil, delay: .zero)
        ]
        experiment.criteria = [criterion(span)]
        experiment.limits.maxTargets = maxTargets
        experiment.limits.maxDuration = span + .minutes(5)
        if !target.isEmpty { experiment.targets.append(try selection("target", target, "--target")) }
        if !against.isEmpty { experiment.targets.append(try selection("against", against, "--against")) }
        return experiment
    }

    private func checkSides(_ targeting: Targeting, dividedBy division: String?) throws {
        if targeting == .between, target.isEmpty || against.isEmpty {
            throw failure(2, "\(kind) acts between two sides", next: "--target name=web-1 --against name=db-1")
        }
        let isDivided = division.map { key in parameters.contains { $0.hasPrefix("\(key)=") } } ?? false
        if targeting == .group, target.isEmpty || against.isEmpty != isDivided {
            throw failure(
                2, "\(kind) acts between two sides, or within one group",
                next: "--target name=web-1 --against name=db-1, or --target label.app=web --set topology=halves")
        }
        if targeting == .either, target.isEmpty {
            throw failure(2, "\(kind) needs a target", next: "--target name=web-1")
        }
        if !targeting.isJoint, targeting != .either, !against.isEmpty {
            throw failure(2, "\(kind) does not act between two sides", next: "leave --against out")
        }
    }

    private static let place = Location(file: "command line", line: 1, column: 1)

    /// `--set key=value` once is a value, several times with one key a list.
    private func parameterNode() throws -> Node {
        var entries: [Node.Entry] = []
        for text in parameters {
            let (key, value) = try pair(text, option: "--set")
            let scalar = Node.scalar(Node.Scalar(value, at: Self.place))
            if let index = entries.firstIndex(where: { $0.key == key }) {
                entries[index].value = appended(scalar, to: entries[index].value)
            } else {
                entries.append(Node.Entry(key, at: Self.place, scalar))
            }
        }
        return .mapping(Node.Mapping(entries, at: Self.place))
    }

    private func appended(_ scalar: Node, to value: Node) -> Node {
        if case .sequence(let nodes, let place) = value { return .sequence(nodes + [scalar], place) }
        return .sequence([value, scalar], Self.place)
    }

    private func selection(_ name: String, _ conditions: [String], _ option: String) throws -> TargetDeclaration {
        try TargetConditions(conditions, option: option, at: Self.place).declaration(name, mode: try selectionMode())
    }

    private func selectionMode() throws -> SelectionMode {
        if mode == "all" { return .all }
        if mode == "one" { return .one }
        if mode.hasPrefix("fixed:"), let count = Int(mode.dropFirst(6)), count > 0 { return .fixed(count) }
        throw failure(2, "--mode '\(mode)' is not one, all or fixed:N", next: "--mode one")
    }

    private func pair(_ text: String, option: String) throws -> (String, String) {
        guard let split = text.firstIndex(of: "="), split != text.startIndex else {
            throw failure(2, "\(option) '\(text)' must be key=value", next: "\(option) name=web-1")
        }
        return (String(text[..<split]), String(text[text.index(after: split)...]))
    }
}
