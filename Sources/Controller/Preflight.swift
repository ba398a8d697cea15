internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

extension RunDriver {
    /// Checks all that can be checked without touching anything: probes reach their systems, selections are not empty
    /// and within the limits.
    func preflight() async -> PreflightOutcome {
        for named in assembly.probes {
            if let refusal = report(await named.probe.preflight(in: context), of: "probe '\(named.name)'") {
                return .environment(refusal)
            }
        }
        do {
            if let refusal = try await checkTargets() { return .environment(refusal) }
        } catch let refusal as TargetResolver.Refusal {
            return .refused(refusal.description)
        } catch {
            return .environment("\(error)")
        }
        return .passed
    }

    /// The first finding that is an error; warnings go onto the timeline.
    private func report(_ findings: [Finding], of subject: String) -> String? {
        for finding in findings {
            let text = "\(subject): \(finding.message)\(finding.advice.isEmpty ? "" : "; \(finding.advice)")"
            switch finding.severity {
            case .error: return text
            case .warning: note(text, .warning)
            }
        }
        return nil
    }

    /// Resolves what is known beforehand with a generator of its own, so that the run's choices stay reproducible, and
    /// asks the faults what they find; an error of theirs is returned.
    private func checkTargets() async throws -> String? {
        var generator = state.withLock { $0.generator }
        var touched: Set<String> = []
        var drawn: [String: Set<String>] = [:]
        for named in assembly.faults {
            var known = named.step.targets.isEmpty ? [Target.localHost] : []
            for declared in named.step.targets where resolver.isKnownBeforehand(declared.value) {
                let targets = try await resolver.resolve(
                    declared.value, requiring: type(of: named.fault).requires, window: recorder.withWindow { $0 },
                    drawn: &drawn[declared.value], generator: &generator)
                try resolver.checkLimit(touched, adding: targets)
                touched.formUnion(targets.map(\.id))
                known += targets
            }
            var told: Set<Finding> = []
            for target in known {
                // What holds for all targets of a step is said once.
                let findings = await named.fault.preflight(target, in: context).filter { told.insert($0).inserted }
                if let refusal = report(findings, of: "step '\(named.step.name)'") { return refusal }
            }
        }
        return nil
    }
}
