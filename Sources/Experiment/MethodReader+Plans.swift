internal import Basics

extension MethodReader {
    /// Deeper than anybody writes; ends what a cycle over links of the file system would make endless.
    private static let deepest = 16

    /// Reads an included fault plan in place of the step that names it.
    mutating func include(_ mapping: Node.Mapping, in scope: Scope, _ inclusions: [Location]) {
        let read = ParameterReader.values(.mapping(mapping), InclusionKeys.all, into: &diagnostics) { reader in
            Inclusion(
                plan: reader.value(InclusionKeys.plan), name: reader.value(InclusionKeys.name),
                with: reader.value(InclusionKeys.with) ?? [], startAfter: reader.value(StepKeys.startAfter),
                delay: reader.value(StepKeys.delay), location: mapping.location)
        }
        guard let inclusion = read else { return }
        let group = takeGroupName(inclusion.name, path: inclusion.plan.value, prefix: scope.prefix)
        groups[group] = []
        let place = inclusion.plan.location
        guard let path = documents.resolver.resolve(inclusion.plan.value, from: scope.source.file) else {
            diagnostics.error(
                "there is no fault plan '\(inclusion.plan.value)'", at: place,
                notes: ["looked beside \(scope.source.file), in the current folder and upwards"])
            return
        }
        let chain = scope.chain + [normalized(path)]
        guard !scope.chain.contains(normalized(path)), chain.count <= MethodReader.deepest else {
            let cycle = chain.drop { $0 != normalized(path) }
            diagnostics.error(
                "fault plans include each other: \(cycle.joined(separator: " → "))", at: place)
            return
        }
        var inner = MethodReader(catalog: catalog, documents: documents)
        inner.taken = taken
        inner.readPlan(path, inclusion, group: group, chain: chain, outer: scope, inclusions: [place] + inclusions)
        adopt(inner, inclusion, group: group, in: scope)
    }

    private mutating func readPlan(
        _ path: String, _ inclusion: Inclusion, group: String, chain: [String], outer: Scope, inclusions: [Location]
    ) {
        guard let (source, root) = documents.read(path, &sources, into: &diagnostics) else { return }
        let keys = PlanKeys.all
        guard case .mapping(let mapping) = root else {
            diagnostics.error("a fault plan is a mapping, found \(root.shape)", at: root.location)
            return
        }
        var configuration = ConfigurationReader(
            environment: documents.environment, resolver: documents.resolver, source: source)
        configuration.variables.secrets = documents.secrets
        configuration.readPlan(mapping, with: inclusion)
        diagnostics.append(contentsOf: configuration.diagnostics)
        var variables = configuration.variables
        let body = variables.fill(
            .mapping(mapping.without(PlanKeys.parameters.key, ExperimentKeys.configuration.key)), source,
            into: &diagnostics)
        SecretPlaces(secrets: documents.secrets).check(body, into: &diagnostics)
        let sections = ParameterReader.values(body, keys, into: &diagnostics) { reader in
            _ = reader.value(ExperimentKeys.title)
            _ = reader.value(ExperimentKeys.description)
            return (targets: reader.value(PlanKeys.targets), method: reader.value(PlanKeys.method))
        }
        guard let sections else { return }
        var scope = Scope(prefix: group + ":", targets: outer.targets, chain: chain, source: source)
        readTargets(sections.targets, &scope)
        let before = drafts.count
        read(sections.method, in: scope, inclusions: inclusions)
        if drafts.count == before, !diagnostics.hasErrors {
            diagnostics.error("the fault plan has no step", at: sections.method.location)
        }
    }

    private mutating func readTargets(_ node: Node?, _ scope: inout Scope) {
        var reader = SectionReader(catalog: catalog)
        let (declared, names) = reader.targets(node)
        diagnostics.append(contentsOf: reader.diagnostics)
        for name in names { scope.targets[name] = scope.prefix + name }
        targets += declared.map { target in
            var renamed = target
            renamed.name = scope.prefix + target.name
            return renamed
        }
    }

    /// Takes over what a plan brought: its findings say where it was included, its first step waits as the plan must.
    private mutating func adopt(_ inner: MethodReader, _ inclusion: Inclusion, group: String, in scope: Scope) {
        let place = inclusion.plan.location
        for finding in inner.diagnostics.all {
            var located = finding
            let isElsewhere = finding.location.map { $0.file != place.file } ?? true
            if isElsewhere { located.notes.append("included at \(place.file):\(place.line):\(place.column)") }
            diagnostics.append(located)
        }
        var drafts = inner.drafts
        if var first = drafts.first {
            first.step.delay += inclusion.delay
            if let after = inclusion.startAfter {
                first.after = references(after, in: scope) + (first.after ?? [])
            }
            drafts[0] = first
        }
        self.drafts += drafts
        targets += inner.targets
        sources += inner.sources
        taken = inner.taken
        groups.merge(inner.groups) { _, new in new }
        groups[group] = drafts.map(\.step.name)
    }

    /// The path without `.` and `..`, to recognise a file by its name.
    private func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}

/// A step that includes a plan.
struct Inclusion: Sendable {
    var plan: Located<String>
    var name: String?
    var with: [LocatedEntry<String>]
    var startAfter: [Located<String>]?
    var delay: Span
    var location: Location
}

extension ConfigurationReader {
    /// Reads a plan's `parameters` and `configuration`; `with` sets both, and nothing else.
    mutating func readPlan(_ mapping: Node.Mapping, with inclusion: Inclusion) {
        let parameters = entries(of: mapping[PlanKeys.parameters.key], PlanKeys.parameters.key)
        let overrides = inclusion.with.map { NamedValue(name: $0.key, value: $0.value.value) }
        for entry in parameters {
            checkName(entry, "parameter")
            let given = overrides.first { $0.name == entry.key }?.value
            let fallback = parameterDefault(entry)
            if given == nil, fallback == nil, !diagnostics.hasErrors {
                diagnostics.error(
                    "the fault plan needs '\(entry.key)'", at: inclusion.location,
                    notes: [
                        "write with: {\(entry.key): …}",
                        "declared at \(entry.keyLocation.file):\(entry.keyLocation.line):\(entry.keyLocation.column)",
                    ])
            }
            define(entry.key, as: given ?? fallback)
        }
        let configuration = mapping[ExperimentKeys.configuration.key]
        let names = parameters.map(\.key) + entries(of: configuration, ExperimentKeys.configuration.key).map(\.key)
        read(configuration: configuration, secrets: nil, overrides: overrides)
        for entry in inclusion.with where !names.contains(entry.key) {
            let nearest = suggestion(for: entry.key, among: names).map { "did you mean '\($0)'?" }
            let list = names.isEmpty ? "the plan has no parameters" : "it knows \(names.joined(separator: ", "))"
            diagnostics.error(
                "the fault plan has no parameter '\(entry.key)'", at: entry.keyLocation, notes: [nearest ?? list])
        }
    }

    private mutating func parameterDefault(_ entry: Node.Entry) -> String? {
        let node = variables.fill(entry.value, source, into: &diagnostics)
        if case .scalar(let scalar) = node {
            return scalar.isUnresolved || (scalar.text.isEmpty && !scalar.isQuoted) ? nil : scalar.text
        }
        return ParameterReader.values(node, PlanKeys.parameter, into: &diagnostics) { reader in
            _ = reader.value(PlanKeys.summary)
            return reader.value(PlanKeys.fallback)
        } ?? nil
    }
}
