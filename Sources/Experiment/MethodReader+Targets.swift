extension MethodReader {
    /// The targets of a step by role; checks them against what the fault takes and against the declared names.
    func targets(
        of step: StepKeys.Values, _ kind: FaultKind?, _ mapping: Node.Mapping, _ parameters: Node.Mapping,
        in scope: Scope, _ reader: inout SectionReader
    ) -> [NamedValue<String>] {
        if let kind { check(step, kind, mapping, parameters, &reader) }
        var roles: [(String, Located<String>)] = []
        if let target = step.target { roles.append(("target", target)) }
        if let between = step.between {
            roles += [("a", between.a), ("b", between.b)]
            if kind?.roles.hasSides == true, between.a.value == between.b.value, !between.a.value.isEmpty {
                reader.diagnostics.error("both sides are '\(between.a.value)'", at: between.b.location)
            }
        }
        return roles.compactMap { role, written in
            guard !written.value.isEmpty else { return nil }
            if let name = scope.targets[written.value] { return NamedValue(name: role, value: name) }
            let known = scope.targets.keys.sorted()
            let nearest = suggestion(for: written.value, among: known).map { "did you mean '\($0)'?" }
            let list = known.isEmpty ? "declare it under targets" : "declared: \(known.joined(separator: ", "))"
            reader.diagnostics.error(
                "no target is named '\(written.value)'", at: written.location, notes: [nearest ?? list])
            return nil
        }
    }

    private func check(
        _ step: StepKeys.Values, _ kind: FaultKind, _ mapping: Node.Mapping, _ parameters: Node.Mapping,
        _ reader: inout SectionReader
    ) {
        let target = mapping[StepKeys.target.key]
        let between = mapping[StepKeys.between.key]
        switch kind.roles {
        case .none:
            if let extra = target ?? between {
                reader.diagnostics.error("\(kind.kind) takes no target", at: extra.location, notes: ["remove it"])
            }
        case .target where target == nil && between == nil:
            reader.diagnostics.error(
                "missing 'target': \(kind.kind) acts on one", at: mapping.location,
                notes: ["name one that is declared under targets"])
        case .between where target == nil && between == nil:
            reader.diagnostics.error(
                "missing 'between': \(kind.kind) acts between two sides", at: mapping.location,
                notes: ["write between: {a: <target>, b: <target>}"])
        case .group(let division): check(target, between, kind, (division, parameters[division]), mapping, &reader)
        case .either where target == nil && between == nil:
            reader.diagnostics.error(
                "missing 'target': \(kind.kind) acts on one, or on one side of two", at: mapping.location,
                notes: ["write target: <name>, or between: {a: <name>, b: <name>}"])
        case .either:
            if let target, between != nil {
                reader.diagnostics.error(
                    "\(kind.kind) takes a target or two sides, not both", at: target.location,
                    notes: ["side a of between is the target"])
            }
        case .target, .optional:
            if let between {
                reader.diagnostics.error(
                    "\(kind.kind) acts on a target, not between two", at: between.location,
                    notes: ["write target: <name>"])
            }
        case .between:
            if let target {
                reader.diagnostics.error(
                    "\(kind.kind) acts between two sides", at: target.location,
                    notes: ["write between: {a: <target>, b: <target>}"])
            }
        }
    }

    /// Two sides that are named, or one group and how it is divided.
    private func check(
        _ target: Node?, _ between: Node?, _ kind: FaultKind, _ dividing: (key: String, value: Node?),
        _ mapping: Node.Mapping,
        _ reader: inout SectionReader
    ) {
        let (division, divided) = dividing
        switch (target, between) {
        case (nil, nil):
            reader.diagnostics.error(
                "missing 'between': \(kind.kind) acts between two sides, or within one group", at: mapping.location,
                notes: ["write between: {a: <target>, b: <target>}, or target: <name> with \(division)"])
        case (.some, .some(let between)):
            reader.diagnostics.error(
                "\(kind.kind) acts between two sides or within one group, not both", at: between.location,
                notes: ["remove target or between"])
        case (.some(let target), nil) where divided == nil:
            reader.diagnostics.error(
                "missing '\(division)': it says how the group is divided", at: target.location,
                notes: ["or write between: {a: <target>, b: <target>}"])
        case (nil, .some):
            if let divided {
                reader.diagnostics.error(
                    "'\(division)' divides one group, and the sides are named here", at: divided.location,
                    notes: ["remove it, or write target: <name> in place of between"])
            }
        case (.some, nil): break
        }
    }
}
