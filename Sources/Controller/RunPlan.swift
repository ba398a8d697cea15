internal import Basics
package import Contracts
package import Experiment

/// What a run would do, for people to read before anything runs.
package struct RunPlan: Sendable, Encodable {
    package struct PlannedStep: Sendable, Encodable {
        package var name: String
        package var fault: String
        /// When it starts and how long it lasts, in words.
        package var timing: String
        package var targets: [PlannedTarget]
        /// Why the step could not be injected now; nil when nothing stands in the way.
        package var problem: String?
    }

    package struct PlannedTarget: Sendable, Encodable {
        package var name: String
        package var operation: PlannedOperation
    }

    package var title: String
    package var steps: [PlannedStep]
    package var probes: [String]
    package var criteria: [String]
    package var limits: String

    /// Resolves what can be known now; reads, changes nothing.
    package init(_ assembly: RunAssembly, context: SystemContext) async {
        let experiment = assembly.experiment
        title = experiment.title
        probes = experiment.probes.map { declaration in
            let changes = assembly.registry.probe(declaration.kind)?.changes ?? []
            let text = changes.map { "; \($0.operation), undone by: \($0.undo)" }.joined()
            return "\(declaration.name): \(declaration.kind)\(text)"
        }
        criteria = Self.lines(experiment.criteria)
        let most = experiment.limits.maxTargets.map { "at most \($0) targets" } ?? "any number of targets"
        limits = "\(most), at most \(experiment.limits.maxDuration) of faults"
        let probesByName = Dictionary(assembly.probes.map { ($0.name, $0.probe) }) { first, _ in first }
        let resolver = TargetResolver(experiment, registry: assembly.registry, probes: probesByName, context: context)
        var touched: Set<String> = []
        steps = []
        for named in assembly.faults {
            steps.append(await Self.plan(named, experiment, resolver, &touched))
        }
    }

    /// A line per criterion: name, probe, limits.
    package static func lines(_ criteria: [CriterionDeclaration]) -> [String] {
        criteria.map { criterion in
            let probe = criterion.probe.map { "probe \($0), " } ?? ""
            return "\(criterion.declaration.name): \(probe)\(parameters(criterion))"
        }
    }

    private static func plan(
        _ named: RunAssembly.NamedFault, _ experiment: Experiment, _ resolver: TargetResolver,
        _ touched: inout Set<String>
    ) async -> PlannedStep {
        let step = named.step
        var planned = PlannedStep(
            name: step.name, fault: step.fault.kind, timing: timing(step), targets: [], problem: nil)
        do {
            let targets = try await targets(named, experiment, resolver)
            planned.targets = targets.map { target in
                let isLate = target.parts.contains { $0.id.hasPrefix("probe:") }
                return PlannedTarget(
                    name: isLate ? "\(target.name), resolved when the step starts" : target.name,
                    operation: named.fault.plan(for: target))
            }
            let parts = targets.flatMap { $0.parts }
            try resolver.checkLimit(touched, adding: parts)
            touched.formUnion(parts.map(\.id))
        } catch {
            planned.problem = "\(error)"
        }
        return planned
    }

    private static func targets(
        _ named: RunAssembly.NamedFault, _ experiment: Experiment, _ resolver: TargetResolver
    ) async throws -> [Target] {
        if named.step.targets.isEmpty { return [.localHost] }
        var sides: [TargetSide] = []
        for declared in named.step.targets {
            let members = try await members(declared, named, experiment, resolver)
            sides.append(TargetSide(role: declared.name, members: members))
        }
        return named.isJoint ? [.between(sides)] : sides.flatMap { $0.members }
    }

    private static func members(
        _ declared: NamedValue<String>, _ named: RunAssembly.NamedFault, _ experiment: Experiment,
        _ resolver: TargetResolver
    ) async throws -> [Target] {
        if resolver.isKnownBeforehand(declared.value) {
            var drawn: Set<String>?
            var generator = SeededGenerator(seed: experiment.seed ?? 0)
            return try await resolver.resolve(
                declared.value, requiring: type(of: named.fault).requires, window: LiveWindow(retention: .zero),
                drawn: &drawn, generator: &generator)
        }
        // Known only when the probe runs: the name says so.
        let declaration = experiment.targets.first { $0.name == declared.value }
        guard case .probe(let probe, let role)? = declaration?.source else { return [] }
        let name = "<\(role) of \(probe)>"
        return [Target(id: "probe:\(declared.value)", name: name, attributes: [:])]
    }

    private static func timing(_ step: Step) -> String {
        let start: String
        switch step.startAfter {
        case nil: start = "starts when the step before is confirmed"
        case .some(let names) where names.isEmpty: start = "starts at once"
        case .some(let names): start = "starts after \(names.joined(separator: ", "))"
        }
        let delay = step.delay > .zero ? " + \(step.delay)" : ""
        return "\(start)\(delay), \(step.duration.map { "heals after \($0)" } ?? "stays until the healing phase")"
    }

    private static func parameters(_ criterion: CriterionDeclaration) -> String {
        guard case .mapping(let mapping) = criterion.declaration.parameters else { return "" }
        return mapping.entries.map { entry in
            if case .scalar(let scalar) = entry.value { "\(entry.key) \(scalar.text)" } else { entry.key }
        }.joined(separator: ", ")
    }
}
