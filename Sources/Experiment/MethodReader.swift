internal import Basics

/// Reads a method with the fault plans that it includes into one list of steps.
struct MethodReader {
    /// What a file may refer to, and how it is named in the whole experiment.
    struct Scope {
        /// `plan:` for the steps of an included plan; empty in the experiment itself.
        var prefix = ""
        /// Name as written → name in the experiment.
        var targets: [String: String]
        /// The files from the experiment down to this one.
        var chain: [String]
        var source: SourceText
    }

    /// A reference to a step or to an included plan, with the scope it was written in.
    struct Reference {
        var name: String
        var prefix: String
        var location: Location
    }

    struct Draft {
        var step: Step
        /// nil: as soon as the step before is confirmed.
        var after: [Reference]?
        var durationLocation: Location?
        /// Places where the plans that hold it are included, innermost first.
        var inclusions: [Location]
    }

    let catalog: KindCatalog
    let documents: DocumentReader
    var diagnostics = Diagnostics()
    var drafts: [Draft] = []
    /// The targets that plans bring along.
    var targets: [TargetDeclaration] = []
    /// Full name of an included plan → full names of its steps.
    var groups: [String: [String]] = [:]
    var sources: [SourceText] = []
    var taken: Set<String> = []

    init(catalog: KindCatalog, documents: DocumentReader) {
        self.catalog = catalog
        self.documents = documents
    }

    /// Reads the steps of one document; plans in it are read in place.
    mutating func read(_ node: Node, in scope: Scope, inclusions: [Location] = []) {
        var reader = SectionReader(catalog: catalog)
        let elements = reader.elements(of: node, "method")
        reserveNames(elements, in: scope, &reader)
        diagnostics.append(contentsOf: reader.diagnostics)
        for element in elements {
            guard case .mapping(let mapping) = element else {
                if case .scalar(let scalar) = element, scalar.isUnresolved { continue }
                diagnostics.error(
                    "a step is a mapping with 'fault' or 'plan', found \(element.shape)", at: element.location)
                continue
            }
            switch (mapping[StepKeys.fault.key], mapping[InclusionKeys.plan.key]) {
            case (_?, nil): readStep(mapping, in: scope, inclusions)
            case (nil, nil): keepBroken(mapping, in: scope, inclusions)
            case (nil, _?): include(mapping, in: scope, inclusions)
            case (_?, let plan?):
                diagnostics.error("a step has 'fault' or 'plan', not both", at: plan.location)
            }
        }
    }

    /// A step that is neither fault nor plan keeps its name, so that references to it are no second error.
    private mutating func keepBroken(_ mapping: Node.Mapping, in scope: Scope, _ inclusions: [Location]) {
        let meant = mapping.entries.first {
            suggestion(for: $0.key, among: [StepKeys.fault.key, InclusionKeys.plan.key]) != nil
        }
        if let meant, let nearest = suggestion(for: meant.key, among: [StepKeys.fault.key, InclusionKeys.plan.key]) {
            diagnostics.error(
                "unknown key '\(meant.key)'", at: meant.keyLocation, notes: ["did you mean '\(nearest)'?"])
        } else {
            diagnostics.error(
                "a step names its 'fault', or a fault 'plan'", at: mapping.location,
                notes: ["for example - {fault: container.kill, target: <name>}"])
        }
        guard case .scalar(let name)? = mapping[StepKeys.name.key] else { return }
        let fault = Declaration(
            name: scope.prefix + name.text, kind: "", parameters: .mapping(mapping), location: mapping.location)
        let step = Step(
            name: fault.name, fault: fault, targets: [], duration: nil, startAfter: nil, delay: .zero)
        drafts.append(Draft(step: step, after: nil, inclusions: inclusions))
    }

    /// Explicit names win over default names wherever they stand; two equal ones are an error.
    private mutating func reserveNames(_ elements: [Node], in scope: Scope, _ reader: inout SectionReader) {
        var places: [String: Location] = [:]
        for case .mapping(let mapping) in elements {
            guard case .scalar(let scalar)? = mapping[StepKeys.name.key], isVariableName(scalar.text) else { continue }
            if let first = places[scalar.text] {
                reader.diagnostics.error(
                    "two steps are named '\(scalar.text)'", at: scalar.location,
                    notes: ["the first is at \(first.file):\(first.line):\(first.column)"])
            }
            places[scalar.text] = places[scalar.text] ?? scalar.location
            taken.insert(scope.prefix + scalar.text)
        }
    }

    private mutating func readStep(_ mapping: Node.Mapping, in scope: Scope, _ inclusions: [Location]) {
        var reader = SectionReader(catalog: catalog)
        defer { diagnostics.append(contentsOf: reader.diagnostics) }
        let kind = kind(of: mapping, &reader)
        let (own, rest) = reader.separate(mapping, format: StepKeys.all, kind: kind)
        let read = ParameterReader.values(.mapping(own), StepKeys.all, into: &reader.diagnostics) {
            StepKeys.Values(&$0)
        }
        let parameters = reader.parameters(kind, rest, of: own)
        if let kind {
            let declaration = Declaration(
                name: "", kind: kind.kind, parameters: .mapping(parameters), location: mapping.location)
            reader.diagnostics.append(contentsOf: kind.check(declaration))
        }
        let written = read?.name ?? unique(kind?.kind ?? read?.fault ?? "step", prefix: scope.prefix)
        let name = scope.prefix + written
        taken.insert(name)
        // A broken step keeps its name, so that references to it are no second error.
        let declaration = Declaration(
            name: name, kind: kind?.kind ?? "", parameters: .mapping(parameters), location: mapping.location)
        let roles = read.map { targets(of: $0, kind, own, parameters, in: scope, &reader) } ?? []
        let step = Step(
            name: name, fault: declaration, targets: roles, duration: read?.duration?.value, startAfter: nil,
            delay: read?.delay ?? .zero)
        let after = read?.startAfter.map { references($0, in: scope) }
        drafts.append(
            Draft(step: step, after: after, durationLocation: read?.duration?.location, inclusions: inclusions))
    }

    private func kind(of mapping: Node.Mapping, _ reader: inout SectionReader) -> FaultKind? {
        guard let text = reader.kindText(mapping[StepKeys.fault.key]) else { return nil }
        if let kind = catalog.fault(text.text) { return kind }
        reader.unknownKind(text.text, "fault", among: catalog.faults.map(\.kind), at: text.location)
        return nil
    }

    private func unique(_ name: String, prefix: String) -> String {
        var candidate = name
        var number = 2
        while taken.contains(prefix + candidate) {
            candidate = "\(name)-\(number)"
            number += 1
        }
        return candidate
    }

    func references(_ names: [Located<String>], in scope: Scope) -> [Reference] {
        names.map { Reference(name: $0.value, prefix: scope.prefix, location: $0.location) }
    }

    /// Chooses the name of an included plan in its scope and takes it.
    mutating func takeGroupName(_ written: String?, path: String, prefix: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.lastIndex(of: ".").map { String(file[..<$0]) } ?? file
        let name = prefix + (written ?? unique(stem, prefix: prefix))
        taken.insert(name)
        return name
    }
}

extension StepKeys {
    /// The values of a step's own keys.
    struct Values {
        var name: String?
        var fault: String
        var target: Located<String>?
        var between: Between?
        var duration: Located<Span>?
        var startAfter: [Located<String>]?
        var delay: Span

        init(_ reader: inout ParameterReader) {
            name = reader.value(StepKeys.name)
            fault = reader.value(StepKeys.fault)
            target = reader.value(StepKeys.target)
            between = reader.value(StepKeys.between)
            duration = reader.value(StepKeys.duration)
            startAfter = reader.value(StepKeys.startAfter)
            delay = reader.value(StepKeys.delay)
        }
    }
}

extension SectionReader {
    /// The fault's parameters: those beside the keys of the step, and those under `with`.
    mutating func parameters(_ kind: FaultKind?, _ rest: Node.Mapping, of own: Node.Mapping) -> Node.Mapping {
        var all = rest
        let keys = kind?.parameters.map(\.key) ?? []
        let nested = own[StepKeys.with.key].flatMap { mapping($0, "'with'") }
        for entry in nested?.entries ?? [] {
            if all[entry.key] != nil {
                diagnostics.error("'\(entry.key)' is given twice", at: entry.keyLocation)
            } else if keys.contains(entry.key) {
                all.entries.append(entry)
            } else if let nearest = reportUnknown(entry, kind, among: keys) {
                all.standIn(for: nearest, at: entry.keyLocation)
            }
        }
        let stepKeys = StepKeys.all.map(\.key)
        for parameter in kind?.parameters ?? [] where parameter.isRequired && all[parameter.key] == nil {
            guard stepKeys.contains(parameter.key) else { continue }
            diagnostics.error(
                "missing '\(parameter.key)': \(parameter.summary)", at: own[parameter.key]?.location ?? own.location,
                notes: ["'\(parameter.key)' beside 'fault' belongs to the step; write with: {\(parameter.key): …}"])
            all.standIn(for: parameter.key, at: own.location)
        }
        return all
    }
}
