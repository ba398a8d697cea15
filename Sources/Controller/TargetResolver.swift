package import Basics
package import Contracts
package import Experiment

/// Turns a declared target into real ones, at the moment they are needed, and keeps the blast radius.
package struct TargetResolver: Sendable {
    private let declarations: [String: TargetDeclaration]
    private let limits: Limits
    private let registry: Registry
    private let probes: [String: any Probe]
    private let context: SystemContext

    package init(
        _ experiment: Experiment, registry: Registry, probes: [String: any Probe], context: SystemContext
    ) {
        declarations = Dictionary(experiment.targets.map { ($0.name, $0) }) { first, _ in first }
        limits = experiment.limits
        self.registry = registry
        self.probes = probes
        self.context = context
    }

    /// A selection that a limit forbids, as opposed to one that could not be looked up.
    package struct Refusal: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// Whether the targets can be known before the probes run.
    package func isKnownBeforehand(_ name: String) -> Bool {
        if case .kind = declarations[name]?.source { true } else { false }
    }

    /// Whether the probe that names the targets has looked at all of its nodes; true for targets that no probe names.
    package func hasLooked(_ name: String, _ window: LiveWindow) -> Bool {
        guard case .probe(let probe, _) = declarations[name]?.source else { return true }
        return window.hasSeen(probes[probe]?.watchedNodes ?? [], of: Label(probe))
    }

    /// The targets of one declaration for a fault that requires `attributes`; never empty.
    package func resolve(
        _ name: String, requiring attributes: Set<Target.Attribute>, window: LiveWindow,
        drawn: inout Set<String>?, generator: inout SeededGenerator
    ) async throws -> [Target] {
        guard let declaration = declarations[name] else {
            throw Refusal(description: "no target '\(name)' is declared")
        }
        let matching = try await candidates(declaration, window)
        guard !matching.isEmpty else { throw Refusal(description: try empty(declaration, window)) }
        let chosen = try draw(matching, declaration, &drawn, &generator)
        var complete: [Target] = []
        for target in chosen { complete.append(try await enriched(target, requiring: attributes)) }
        try complete.forEach(refuseProtected)
        return complete
    }

    /// Throws when these targets, with those touched before, are more than the limit allows.
    package func checkLimit(_ touched: Set<String>, adding targets: [Target]) throws {
        guard let limit = limits.maxTargets else { return }
        let all = touched.union(targets.map(\.id))
        if all.count > limit {
            let names = targets.map(\.name).joined(separator: ", ")
            throw Refusal(
                description:
                    "\(all.count) targets would be touched, limits allow max-targets: \(limit); this step adds \(names)"
            )
        }
    }

    private func candidates(_ declaration: TargetDeclaration, _ window: LiveWindow) async throws -> [Target] {
        switch declaration.source {
        case .kind(let source):
            guard let type = registry.targetSource(source.kind) else {
                throw Refusal(description: "target '\(declaration.name)': no source '\(source.kind)' is known")
            }
            return try await resolve(type, source)
        case .probe(let name, let role):
            guard let probe = probes[name] else { throw Refusal(description: "no probe '\(name)' runs") }
            let nodes = window.nodes(of: Label(name), in: Label(role), at: context.time.now)
            return nodes.map { node in
                probe.target(forNode: node)
                    ?? Target(id: "node:\(node)", name: node.text, attributes: [.node: node.text])
            }
        }
    }

    private func resolve<Source: TargetSource>(_ type: Source.Type, _ source: Declaration) async throws -> [Target] {
        var diagnostics = Diagnostics()
        let made = ParameterReader.read(source.parameters, Source.parameters, into: &diagnostics) { Source(from: &$0) }
        guard let made else { throw InvalidInput(diagnostics) }
        return try await made.resolve(in: context).sorted { $0.id < $1.id }
    }

    private func empty(_ declaration: TargetDeclaration, _ window: LiveWindow) throws -> String {
        switch declaration.source {
        case .kind(let source):
            let hint = source.kind == "docker" ? "; see: docker ps, squall lab status" : ""
            return "target '\(declaration.name)' (\(source.kind)) matches nothing\(hint)"
        case .probe(let name, let role):
            return "target '\(declaration.name)': probe '\(name)' reports no node as \(role) right now"
        }
    }

    /// Asks every source that can add something; a missing attribute is an error only if the fault requires it.
    private func enriched(_ target: Target, requiring attributes: Set<Target.Attribute>) async throws -> Target {
        var target = target
        for enricher in registry.enrichers where !enricher.provides.isSubset(of: Set(target.attributes.keys)) {
            switch await enrich(target, with: enricher) {
            case .success(let enriched): target = enriched
            case .failure(let error):
                if !enricher.provides.isDisjoint(with: attributes.subtracting(target.attributes.keys)) { throw error }
            }
        }
        let missing = attributes.subtracting(target.attributes.keys)
        if !missing.isEmpty {
            let names = missing.map(\.rawValue).sorted().joined(separator: ", ")
            throw FaultError(
                .notApplicable, "target '\(target.name)' does not offer \(names), which this fault needs",
                advice: "choose another target, or name the node as its container is named")
        }
        return target
    }

    private func enrich(_ target: Target, with enricher: any TargetEnricher) async -> Result<Target, FaultError> {
        do throws(FaultError) {
            return .success(try await enricher.enrich(target, in: context))
        } catch {
            return .failure(error)
        }
    }

    private func refuseProtected(_ target: Target) throws {
        let label = limits.protectedLabels.first { target.labels[$0.name] == $0.value }
        if let label {
            throw Refusal(description: "target '\(target.name)' is protected by label \(label.name)=\(label.value)")
        }
        if limits.protectedNames.contains(target.name) {
            throw Refusal(description: "target '\(target.name)' is protected by name")
        }
    }

    /// The same targets as before while all of them still match; else a fresh draw. `all` always takes all.
    private func draw(
        _ matching: [Target], _ declaration: TargetDeclaration, _ drawn: inout Set<String>?,
        _ generator: inout SeededGenerator
    ) throws -> [Target] {
        if case .fixed(let wanted) = declaration.mode, matching.count < wanted {
            throw Refusal(
                description: "target '\(declaration.name)' wants \(wanted) (mode: fixed), and \(matching.count) match")
        }
        if declaration.mode != .all, let drawn, drawn.isSubset(of: Set(matching.map(\.id))) {
            return matching.filter { drawn.contains($0.id) }
        }
        let chosen = select(matching, declaration.mode, &generator)
        guard !chosen.isEmpty else {
            throw Refusal(
                description: "target '\(declaration.name)' selects none of \(matching.count) (mode \(declaration.mode))"
            )
        }
        drawn = Set(chosen.map(\.id))
        return chosen
    }

    private func select(_ targets: [Target], _ mode: SelectionMode, _ generator: inout SeededGenerator) -> [Target] {
        let count: Int
        switch mode {
        case .all: return targets
        case .one: count = 1
        case .fixed(let wanted): count = min(wanted, targets.count)
        case .fixedPercent(let share): count = Int((Double(targets.count) * share.fraction).rounded(.down))
        case .randomMaxPercent(let share):
            let most = Int((Double(targets.count) * share.fraction).rounded(.down))
            count = most == 0 ? 0 : Int.random(in: 1...most, using: &generator)
        }
        return Array(targets.shuffled(using: &generator).prefix(count)).sorted { $0.id < $1.id }
    }
}
