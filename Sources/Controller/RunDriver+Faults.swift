internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// Probes of roles take a node for unreachable after a second or two, unless the file says otherwise.
private let longestFirstLook = Span.seconds(3)

extension RunDriver {
    /// Resolves the step's targets and injects its fault into each; one event for the whole step.
    func inject(_ name: String) async -> RunEvent {
        guard let named = assembly.faults.first(where: { $0.step.name == name }) else {
            return .stepFailed(name, reason: "no such step", isRefusal: false)
        }
        let targets: [Target]
        do {
            targets = try await claim(named)
        } catch let refusal as TargetResolver.Refusal {
            return .stepFailed(name, reason: refusal.description, isRefusal: state.withLock { $0.faultInstant == nil })
        } catch {
            return .stepFailed(name, reason: "\(error)", isRefusal: false)
        }
        let injector = FaultInjector(
            context: context, changes: changes, longestStay: assembly.experiment.limits.maxDuration, turns: turns)
        let outcomes = await withTaskGroup(of: Result<String?, FaultError>.self) { group in
            for target in targets { group.addTask { await self.inject(named, on: target, with: injector) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var unproven: String?
        for outcome in outcomes {
            switch outcome {
            case .success(let reason): unproven = unproven ?? reason
            case .failure(let error):
                // Another run's target is refused like a protected one, as long as nothing was touched.
                let isRefusal = error.code == .inUse && state.withLock { $0.faultInstant == nil }
                return .stepFailed(name, reason: "\(error)", isRefusal: isRefusal)
            }
        }
        return unproven.map { .stepUnproven(name, reason: $0) } ?? .stepActive(name)
    }

    /// The step's targets, checked against the blast radius and counted as touched.
    private func claim(_ named: RunAssembly.NamedFault) async throws -> [Target] {
        if named.step.targets.isEmpty { return [.localHost] }
        var targets: [Target] = []
        var sides: [TargetSide] = []
        for declared in named.step.targets {
            let members = try await resolve(declared.value, for: named)
            targets += members
            sides.append(TargetSide(role: declared.name, members: members))
        }
        try state.withLock { state in
            try resolver.checkLimit(state.touched, adding: targets)
            state.touched.formUnion(targets.map(\.id))
        }
        return named.isJoint ? [.between(sides)] : targets
    }

    private func resolve(_ declared: String, for named: RunAssembly.NamedFault) async throws -> [Target] {
        await awaitFirstLook(for: declared)
        var (generator, drawn) = state.withLock { ($0.generator, $0.drawn[declared]) }
        let window = recorder.withWindow { $0 }
        let targets = try await resolver.resolve(
            declared, requiring: type(of: named.fault).requires, window: window, drawn: &drawn,
            generator: &generator)
        state.withLock { state in
            state.generator = generator
            state.drawn[declared] = drawn
        }
        return targets
    }

    /// Without a baseline a step is due as soon as the probes run. Who has not been asked yet is nobody's primary and
    /// nobody's replica: such a selection would be refused, or would be too small.
    private func awaitFirstLook(for declared: String) async {
        let deadline = context.time.now + longestFirstLook
        while context.time.now < deadline, !recorder.withWindow({ resolver.hasLooked(declared, $0) }) {
            guard (try? await context.time.sleep(for: .milliseconds(20))) != nil else { return }
        }
    }

    private func inject(
        _ named: RunAssembly.NamedFault, on target: Target, with injector: FaultInjector
    ) async -> Result<String?, FaultError> {
        do throws(FaultError) {
            let reason = try await injector.inject(named.fault, step: named.step, on: target)
            state.withLock { state in
                state.newestFaultInstant = context.time.now
                state.faultInstant = state.faultInstant ?? context.time.now
            }
            return .success(reason)
        } catch {
            return .failure(error)
        }
    }
}
