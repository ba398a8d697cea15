internal import Basics
internal import Checkers
internal import Contracts
internal import Controller
internal import Docker
internal import Experiment
internal import Journal
internal import Synchronization

/// Holds what a run says against what is true of its world.
struct WorldInspection: Sendable {
    private(set) var violations: [String] = []
    let history: History
    let results: [CriterionResult]
    let verdict: Verdict
    let exitCode: Int32
    private let system: SystemState
    private let stage: WorldStage

    init(_ stage: WorldStage, controller: SimulatedProcess) {
        self.stage = stage
        system = stage.system.at { $0 }
        history = stage.history.history
        let history = history
        results = stage.assembly.criteria.map { criterion in
            let result = criterion.checker.check(history, criterion.subject)
            return stage.mutant?.altered(result) ?? result
        }
        let judgement = RunJudgement.judge(
            history, criteria: results, steps: stage.assembly.experiment.method.map(\.name), hasSteadyState: true)
        verdict = judgement.verdict
        exitCode = RunExitCode.code(
            verdict: verdict, abort: history.abort?.reason, leftovers: history.leftovers ?? [])
        violations += system.violations + stage.disk.state.withLock { $0.violations }
        inspectEnd(controller)
        inspectFaults()
        inspectVerdict(controller)
        let figures = FigureInspection(history: history, results: results, system: system, plan: stage.plan)
        violations += figures.violations
        violations += DurationInspection.violations(stage, system)
    }

    // MARK: Leftovers

    private mutating func inspectEnd(_ controller: SimulatedProcess) {
        let left = system.leftovers
        let isPossible = stage.plan.weather.denied.isEmpty
        let hasJournal = !stage.disk.records.isEmpty
        let findings = stage.findings.withLock { $0 }
        if stage.disk.isClosed, !stage.disk.open.isEmpty {
            violations.append("the journal is closed over open changes: \(stage.disk.open.joined(separator: ", "))")
        }
        if isPossible {
            if !left.isEmpty { violations.append("left over: \(left.joined(separator: "; "))") }
            if hasJournal, !stage.disk.isClosed {
                violations.append("the journal is not closed: \(findings.failures.joined(separator: "; "))")
            }
        } else if !left.isEmpty {
            inspectReport(of: left, findings)
        }
    }

    /// What could not be healed for good must be named by whoever tried last.
    private mutating func inspectReport(of left: [String], _ findings: WorldStage.Findings) {
        let told = (findings.takeovers.last ?? findings.controllerLeftovers ?? []).map(\.target)
        for leftover in left where !told.contains(where: { leftover.contains($0) || $0 == SimulatedSchema.target }) {
            violations.append("left over and not reported: \(leftover); reported: \(told)")
        }
        if stage.disk.isClosed { violations.append("the journal is closed over \(left.joined(separator: "; "))") }
        if exitCode != RunExitCode.leftover.rawValue { violations.append("exit code \(exitCode) with leftovers") }
    }

    // MARK: Faults

    /// A confirmed effect must coincide with a real change.
    private mutating func inspectFaults() {
        for fault in history.faults {
            guard let effect = fault.effectiveAt else { continue }
            if system.cause(of: fault, within: effect) == nil {
                violations.append(
                    "\(fault.kind) on \(fault.target) is confirmed (\(fault.evidence)), and nothing happened then")
            }
        }
    }

    private mutating func inspectVerdict(_ controller: SimulatedProcess) {
        guard verdict == .pass else { return }
        for step in stage.assembly.experiment.method {
            let faults = history.faults.filter { $0.step.text == step.name }
            if faults.isEmpty || !faults.allSatisfy(\.isProven) {
                violations.append("pass, and step \(step.name) did not take effect")
            }
        }
        if history.abort != nil { violations.append("pass, and the run was aborted") }
        if history.leftovers == nil { violations.append("pass, and nobody looked for leftovers") }
        if !system.leftovers.isEmpty { violations.append("pass, and something is left over") }
        if controller.isDead, history.steadyStates.allSatisfy({ $0.phase != .settling }) {
            violations.append("pass, and the controller died")
        }
    }
}

extension SystemState {
    private static let changes: [Label: [Transition.Change]] = [
        Label(ContainerPauseFault.kind): [.paused], Label(ContainerKillFault.kind): [.exited, .stopped],
        Label(ContainerStopFault.kind): [.exited], Label(ContainerRestartFault.kind): [.exited],
        Label(SimulatedRuleFault.kind): [.cut], Label(SimulatedSettingFault.kind): [.set],
    ]

    /// The real change behind a fault that is said to have taken effect within `effect`.
    func cause(of fault: FaultRecord, within effect: InstantRange) -> Instant? {
        let changes = Self.changes[fault.kind] ?? []
        let name = fault.target.text
        return transitions.first { transition in
            changes.contains(transition.change) && transition.container == name && effect.lower <= transition.at
                && transition.at <= effect.upper
        }?.at
    }
}
