/// Checks what one part of the file says of another: names, observations, metrics and their units.
struct ReferenceCheck {
    let catalog: KindCatalog
    let probes: [Declaration]
    var diagnostics = Diagnostics()

    init(catalog: KindCatalog, probes: [Declaration]) {
        self.catalog = catalog
        self.probes = probes
    }

    mutating func check(_ targets: [TargetDeclaration]) {
        for target in targets {
            guard case .probe(let name, _) = target.source else { continue }
            guard let kind = kind(of: name, at: target.sourceLocation ?? target.location) else { continue }
            if !kind.emits.contains("states") {
                let able = catalog.probes.filter { $0.emits.contains("states") }.map(\.kind).sorted()
                diagnostics.error(
                    "the probe '\(name)' (\(kind.kind)) reports no states to find a target by",
                    at: target.sourceLocation ?? target.location,
                    notes: ["probes that do: \(able.joined(separator: ", "))"])
            }
        }
    }

    mutating func check(_ state: LocatedSteadyState?) {
        for (probe, metrics) in state?.tolerances ?? [] {
            guard let kind = kind(of: probe.value, at: probe.location) else { continue }
            for metric in metrics {
                check(
                    metric.key, at: metric.keyLocation, metric.value.value, at: metric.value.location, probe.value, kind
                )
            }
        }
    }

    mutating func check(_ conditions: [LocatedStopCondition]) {
        for condition in conditions {
            guard let kind = kind(of: condition.probe.value, at: condition.probe.location) else { continue }
            let when = condition.condition.when
            check(when.metric, at: condition.when, when.comparison, at: condition.when, condition.probe.value, kind)
        }
    }

    mutating func check(_ criteria: [LocatedCriterion], steps: [Step]) {
        for criterion in criteria {
            if let after = criterion.after, !after.value.isEmpty, !steps.contains(where: { $0.name == after.value }) {
                let nearest = suggestion(for: after.value, among: steps.map(\.name)).map { "did you mean '\($0)'?" }
                let list = "steps: \(steps.map(\.name).joined(separator: ", "))"
                diagnostics.error("no step is named '\(after.value)'", at: after.location, notes: [nearest ?? list])
            }
            guard let probe = criterion.probe, let kind = kind(of: probe.value, at: probe.location) else { continue }
            guard !criterion.kind.accepts.isEmpty, !criterion.kind.accepts(kind.emits) else { continue }
            let able = catalog.probes.filter { criterion.kind.accepts($0.emits) }.map(\.kind).sorted()
            diagnostics.error(
                "\(criterion.kind.kind) needs \(missing(criterion.kind, kind)), which '\(probe.value)' (\(kind.kind)) "
                    + "does not record",
                at: probe.location,
                notes: ["kinds of probes that do: \(able.isEmpty ? "none" : able.joined(separator: ", "))"])
        }
    }

    private func missing(_ criterion: CriterionKind, _ probe: ProbeKind) -> String {
        criterion.accepts.map { needed in
            needed.subtracting(probe.emits).sorted().map(ReferenceCheck.words).joined(separator: " and ")
        }.joined(separator: " or ")
    }

    /// The kind of a declared probe; nil when there is none, which is reported, or when its kind is wrong, which was.
    private mutating func kind(of name: String, at location: Location) -> ProbeKind? {
        if name.isEmpty { return nil }
        if let probe = probes.first(where: { $0.name == name }) { return catalog.probe(probe.kind) }
        let known = probes.map(\.name)
        let nearest = suggestion(for: name, among: known).map { "did you mean '\($0)'?" }
        let list = known.isEmpty ? "declare it under probes" : "declared: \(known.joined(separator: ", "))"
        diagnostics.error("no probe is named '\(name)'", at: location, notes: [nearest ?? list])
        return nil
    }

    private mutating func check(
        _ metric: String, at metricPlace: Location, _ comparison: Comparison, at place: Location, _ probe: String,
        _ kind: ProbeKind
    ) {
        if metric.isEmpty { return }
        guard let known = kind.metrics.first(where: { $0.name == metric }) else {
            let names = kind.metrics.map(\.name)
            let nearest = suggestion(for: metric, among: names).map { "did you mean '\($0)'?" }
            diagnostics.error(
                "'\(probe)' (\(kind.kind)) has no metric '\(metric)'", at: metricPlace,
                notes: [nearest ?? "it has \(names.joined(separator: ", "))"])
            return
        }
        if let expected = known.complaint(about: comparison.bound) {
            diagnostics.error("'\(metric)' is compared with \(expected); found '\(comparison.bound)'", at: place)
        }
    }

    private static func words(_ observation: String) -> String {
        switch observation {
        case "operations": "operations (requests with outcome and latency)"
        case "states": "states (what each node says it is)"
        case "readBacks": "read-backs (which writes are still there)"
        default: observation
        }
    }
}
