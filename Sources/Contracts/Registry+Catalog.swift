internal import Basics
package import Experiment

extension Registry {
    /// The kinds as the experiment loader and the schema need them; each checks a declaration with its own reader.
    package var catalog: KindCatalog {
        KindCatalog(
            faults: faults.map { faultKind($0) }, probes: probes.map { probeKind($0) },
            criteria: checkers.map { criterionKind($0) }, targetSources: targetSources.map { sourceKind($0) })
    }

    private func faultKind<Kind: Fault>(_ type: Kind.Type) -> FaultKind {
        let roles: FaultKind.Roles =
            switch type.targeting {
            case .required: .target
            case .optional: .optional
            case .none: .none
            case .between: .between
            case .group: .group(dividedBy: type.division ?? "")
            case .either: .either
            }
        return FaultKind(
            kind: type.kind, summary: type.manual.summary, parameters: type.parameters, roles: roles
        ) { declaration in
            var diagnostics = Diagnostics()
            _ = ParameterReader.read(declaration.parameters, type.parameters, into: &diagnostics) { Kind(from: &$0) }
            return diagnostics
        }
    }

    private func probeKind<Kind: Probe>(_ type: Kind.Type) -> ProbeKind {
        ProbeKind(
            kind: type.kind, summary: type.manual.summary, parameters: type.parameters,
            emits: Set(type.emits.map(\.rawValue)), metrics: MetricCatalog.kinds(for: type)
        ) { declaration in
            var diagnostics = Diagnostics()
            _ = ParameterReader.read(declaration.parameters, type.parameters, into: &diagnostics) {
                Kind(name: Label(declaration.name), from: &$0)
            }
            return diagnostics
        }
    }

    private func criterionKind<Kind: Checker>(_ type: Kind.Type) -> CriterionKind {
        CriterionKind(
            kind: type.kind, summary: type.manual.summary, parameters: type.parameters,
            accepts: type.accepts.map { Set($0.map(\.rawValue)) }
        ) { declaration in
            var diagnostics = Diagnostics()
            let checker = ParameterReader.read(declaration.parameters, type.parameters, into: &diagnostics) {
                Kind(from: &$0)
            }
            let budget = checker?.budget
            return CriterionFacts(
                diagnostics: diagnostics, recoveryTime: budget?.recoveryTime, availability: budget?.availability,
                window: budget?.window)
        }
    }

    private func sourceKind<Kind: TargetSource>(_ type: Kind.Type) -> TargetSourceKind {
        TargetSourceKind(kind: type.kind, summary: type.manual.summary, parameters: type.parameters) { declaration in
            var diagnostics = Diagnostics()
            _ = ParameterReader.read(declaration.parameters, type.parameters, into: &diagnostics) { Kind(from: &$0) }
            return diagnostics
        }
    }
}

extension MetricCatalog {
    /// The metrics of a probe with what their bounds must be; those of its own are known only to the probe.
    package static func kinds(for probe: any Probe.Type) -> [MetricKind] {
        names(for: probe).map { name in
            if probe.metrics.contains(name) { return MetricKind(name, .any) }
            return MetricKind(name, unit(of: name))
        }
    }

    private static func unit(of name: String) -> MetricKind.Unit {
        switch name {
        case "success": .share
        case "p50", "p90", "p95", "p99", "max": .span
        case "rate": .rate
        case "state": .text
        default: .number
        }
    }
}
