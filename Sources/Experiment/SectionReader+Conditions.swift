extension SectionReader {
    /// Reads `steady-state-hypothesis`. Whether probes and metrics exist is checked when all of the file is read.
    mutating func steadyState(_ node: Node?) -> LocatedSteadyState? {
        guard let node else { return nil }
        let keys = ParameterReader.values(node, SteadyStateKeys.all, into: &diagnostics) { reader in
            (
                reader.value(SteadyStateKeys.title), reader.value(SteadyStateKeys.holdFor),
                reader.value(SteadyStateKeys.probes)
            )
        }
        guard let (title, holdFor, probes) = keys else { return nil }
        if probes.isEmpty { diagnostics.error("the steady state names no probe", at: node.location) }
        var state = LocatedSteadyState(steadyState: SteadyState(title: title, holdFor: holdFor, expectations: []))
        for probe in probes {
            let read = ParameterReader.values(probe, SteadyStateKeys.expectation, into: &diagnostics) { reader in
                (reader.value(SteadyStateKeys.probe), reader.value(SteadyStateKeys.tolerance))
            }
            guard let (name, tolerance) = read else { continue }
            if tolerance.isEmpty, !isUnresolved(probe) {
                diagnostics.error("the tolerance of '\(name.value)' names no metric", at: name.location)
            }
            let conditions = tolerance.map { MetricCondition(metric: $0.key, comparison: $0.value.value) }
            state.steadyState.expectations.append(
                Expectation(probe: name.value, tolerance: conditions, location: name.location))
            state.tolerances.append((name, tolerance))
        }
        return state
    }

    /// Reads `stop-conditions`.
    mutating func stopConditions(_ node: Node?) -> [LocatedStopCondition] {
        elements(of: node, "stop-conditions").compactMap { element in
            ParameterReader.values(element, StopKeys.all, into: &diagnostics) { reader in
                let probe = reader.value(StopKeys.probe)
                let when = reader.value(StopKeys.when)
                let condition = StopCondition(
                    probe: probe.value, when: when.value, holdFor: reader.value(StopKeys.holdFor),
                    location: element.location)
                return LocatedStopCondition(condition: condition, probe: probe, when: when.location)
            }
        }
    }

    /// Reads `limits`.
    mutating func limits(_ node: Node?) -> Limits {
        guard let node else { return Limits() }
        return ParameterReader.values(node, LimitKeys.all, into: &diagnostics) { reader in
            let protection = reader.value(LimitKeys.protect)
            return Limits(
                maxTargets: reader.value(LimitKeys.maxTargets), maxDuration: reader.value(LimitKeys.maxDuration),
                protectedLabels: protection.labels, protectedNames: protection.names,
                irreversible: reader.value(LimitKeys.irreversible))
        } ?? Limits()
    }
}

/// The steady state with the places of its parts.
struct LocatedSteadyState {
    var steadyState: SteadyState
    var tolerances: [(probe: Located<String>, metrics: [LocatedEntry<Comparison>])] = []
}

/// A stop condition with the places of its parts.
struct LocatedStopCondition: Sendable {
    var condition: StopCondition
    var probe: Located<String>
    var when: Location
}
