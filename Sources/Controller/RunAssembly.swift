package import Basics
package import Contracts
package import Experiment

/// The experiment's declarations as working objects: what a run needs and nothing looked up any more.
package struct RunAssembly: Sendable {
    package struct NamedProbe: Sendable {
        package var name: String
        package var probe: any Probe
    }

    package struct NamedFault: Sendable {
        package var step: Step
        package var fault: any Fault

        /// Whether its targets are handed to it as one: two sides are, and a group that it divides.
        var isJoint: Bool { step.targets.count == 2 || type(of: fault).targeting.isJoint }
    }

    package struct Criterion: Sendable {
        package var subject: CheckSubject
        package var checker: any Checker
    }

    package var experiment: Experiment
    package var registry: Registry
    package var probes: [NamedProbe]
    package var faults: [NamedFault]
    package var criteria: [Criterion]

    /// Reads every declaration by its own kind; throws all findings at once.
    package init(_ experiment: Experiment, registry: Registry) throws(InvalidInput) {
        var diagnostics = Diagnostics()
        self.experiment = experiment
        self.registry = registry
        probes = experiment.probes.compactMap { declaration in
            registry.probe(declaration.kind).flatMap { makeProbe($0, declaration, &diagnostics) }
                .map { NamedProbe(name: declaration.name, probe: $0) }
        }
        faults = experiment.method.compactMap { step in
            registry.fault(step.fault.kind).flatMap { makeFault($0, step.fault, &diagnostics) }
                .map { NamedFault(step: step, fault: $0) }
        }
        if experiment.limits.irreversible == .forbidden {
            for named in faults where named.fault.persistence == .forGood {
                diagnostics.error(
                    "\(named.step.fault.kind) cannot be taken back, and limits.irreversible is forbidden",
                    at: named.step.fault.location)
            }
        }
        criteria = experiment.criteria.compactMap { criterion in
            makeCriterion(criterion, registry, experiment.steadyState, &diagnostics)
        }
        if probes.count < experiment.probes.count || faults.count < experiment.method.count
            || criteria.count < experiment.criteria.count || diagnostics.hasErrors
        {
            if !diagnostics.hasErrors { diagnostics.error("the file names a kind that is not registered", at: nil) }
            throw InvalidInput(diagnostics)
        }
    }

    /// How long after the fault the criteria need observations at least.
    package var observationWindow: Span { criteria.compactMap(\.checker.budget.window).max() ?? .zero }
    /// How long after the fault an RTO may take before it has failed for sure.
    package var recoveryTimeLimit: Span? { criteria.compactMap(\.checker.budget.recoveryTime).max() }
    /// The probes whose service must answer again before observing ends.
    package var recoveryProbes: [Label] {
        criteria.filter { $0.checker.budget.recoveryTime != nil }.map(\.subject.probe)
    }

    package var timing: RunStateMachine.Timing {
        let hold = experiment.steadyState?.holdFor ?? .zero
        let recovery = criteria.compactMap(\.checker.budget.recoveryWithin).max() ?? .minutes(5)
        return RunStateMachine.Timing(
            baselineLimit: max(hold * 3, hold + .seconds(20)), settlingLimit: recovery + hold,
            maxDuration: experiment.limits.maxDuration)
    }

    /// From the first look at the steady state to the last: what the run needs must last so long.
    var longestRun: Span { timing.baselineLimit + timing.maxDuration + timing.settlingLimit }
}

private func makeProbe<Kind: Probe>(
    _ type: Kind.Type, _ declaration: Declaration, _ diagnostics: inout Diagnostics
) -> (any Probe)? {
    ParameterReader.read(declaration.parameters, Kind.parameters, into: &diagnostics) {
        Kind(name: Label(declaration.name), from: &$0)
    }
}

private func makeFault<Kind: Fault>(
    _ type: Kind.Type, _ declaration: Declaration, _ diagnostics: inout Diagnostics
) -> (any Fault)? {
    ParameterReader.read(declaration.parameters, Kind.parameters, into: &diagnostics) { Kind(from: &$0) }
}

private func makeChecker<Kind: Checker>(
    _ type: Kind.Type, _ declaration: Declaration, _ diagnostics: inout Diagnostics
) -> (any Checker)? {
    ParameterReader.read(declaration.parameters, Kind.parameters, into: &diagnostics) { Kind(from: &$0) }
}

private func makeCriterion(
    _ criterion: CriterionDeclaration, _ registry: Registry, _ steadyState: SteadyState?,
    _ diagnostics: inout Diagnostics
) -> RunAssembly.Criterion? {
    guard let type = registry.checker(criterion.kind),
        let checker = makeChecker(type, criterion.declaration, &diagnostics)
    else { return nil }
    let subject = CheckSubject(
        name: criterion.declaration.name, probe: Label(criterion.probe ?? ""), after: criterion.after.map { Label($0) },
        steadyState: steadyState)
    return RunAssembly.Criterion(subject: subject, checker: checker)
}
