/// Finds secrets where they would be written out as `${name}`: only parameters of probes and faults reveal them.
struct SecretPlaces {
    let secrets: Set<String>

    /// Checks a whole document whose variables are filled in.
    func check(_ root: Node, into diagnostics: inout Diagnostics) {
        guard !secrets.isEmpty, case .mapping(let mapping) = root else { return }
        for entry in mapping.entries {
            switch entry.key {
            case ExperimentKeys.probes.key:
                for probe in entry.value.children { refuse(probe, keys: ProbeKeys.all, into: &diagnostics) }
            case ExperimentKeys.method.key:
                let keys = StepKeys.all.filter { $0.key != StepKeys.with.key }
                for step in entry.value.children { refuse(step, keys: keys, into: &diagnostics) }
            default: refuse(entry.value, into: &diagnostics)
            }
        }
    }

    /// Checks the keys of the format; the others are parameters of the kind.
    private func refuse(_ node: Node, keys: [any AnyParameter], into diagnostics: inout Diagnostics) {
        guard case .mapping(let mapping) = node else { return }
        for key in keys {
            if let value = mapping[key.key] { refuse(value, into: &diagnostics) }
        }
    }

    private func refuse(_ node: Node, into diagnostics: inout Diagnostics) {
        if case .scalar(let scalar) = node {
            for name in secrets.sorted() where scalar.text.contains("${\(name)}") {
                diagnostics.error(
                    "the secret '\(name)' is not revealed here", at: scalar.location,
                    notes: ["secrets are revealed in the parameters of probes and faults only"])
            }
        }
        for child in node.children { refuse(child, into: &diagnostics) }
    }
}

extension Node {
    /// The values inside a list or a mapping.
    var children: [Node] {
        switch self {
        case .scalar: []
        case .sequence(let nodes, _): nodes
        case .mapping(let mapping): mapping.entries.map(\.value)
        }
    }
}
