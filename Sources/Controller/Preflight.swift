internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

extension RunDriver {
    /// Checks all that can be checked without touching anything: probes reach their systems, selections are not empty
    /// and within the limits.
    func preflight() async -> PreflightOutcome {
        for named in assembly.probes {
            for finding in await named.probe.preflight(in: context) {
                let advice = finding.advice.isEmpty ? "" : "; \(finding.advice)"
                let text = "probe '\(named.name)': \(finding.message)\(advice)"
                switch finding.severity {
                case .error: return .environment(text)
                case .warning: note(text, .warning)
                }
            }
        }
        do {
            try await checkTargets()
        } catch let refusal as TargetResolver.Refusal {
            return .refused(refusal.description)
        } catch {
            return .environment("\(error)")
        }
        return .passed
    }

    /// Resolves what is known beforehand with a generator of its own, so that the run's choices stay reproducible.
    private func checkTargets() async throws {
        var generator = state.withLock { $0.generator }
        var touched: Set<String> = []
        var drawn: [String: Set<String>] = [:]
        for named in assembly.faults {
            for declared in named.step.targets where resolver.isKnownBeforehand(declared.value) {
                let targets = try await resolver.resolve(
                    declared.value, requiring: type(of: named.fault).requires, window: recorder.withWindow { $0 },
                    drawn: &drawn[declared.value], generator: &generator)
                try resolver.checkLimit(touched, adding: targets)
                touched.formUnion(targets.map(\.id))
            }
        }
    }
}
