internal import Glibc

/// Reads an experiment file with everything it names, and reports all that is wrong in it at once.
package struct ExperimentLoader: Sendable {
    private let catalog: KindCatalog
    private let overrides: [NamedValue<String>]
    private let documents: DocumentReader

    /// - Parameters:
    ///   - overrides: the values of `--var`; they win over the file and over the environment.
    ///   - currentFolder: absolute; where files are looked for that are not beside the experiment.
    package init(
        catalog: KindCatalog, environment: [String: String], overrides: [NamedValue<String>] = [],
        files: FileAccess = .system, currentFolder: String = workingFolder()
    ) {
        self.catalog = catalog
        self.overrides = overrides
        let resolver = PathResolver(files: files, currentFolder: currentFolder)
        documents = DocumentReader(resolver: resolver, environment: environment)
    }

    /// Reads and checks the file; never throws, the result holds the findings.
    package func load(_ path: String) -> LoadResult {
        var load = Load(catalog: catalog, documents: documents, overrides: overrides)
        let experiment = load.run(path)
        return LoadResult(
            experiment: load.diagnostics.hasErrors ? nil : experiment, diagnostics: load.sorted(), sources: load.sources
        )
    }
}

/// What a load gave: the experiment when nothing is wrong, the findings, and the texts to show them in.
package struct LoadResult: Sendable {
    package var experiment: Experiment?
    /// Errors and warnings in the order of the files and their lines.
    package var diagnostics: Diagnostics
    /// The experiment's text first, then those of its fault plans.
    package var sources: [SourceText]

    /// The experiment, or its errors as one thrown value.
    package func get() throws(InvalidInput) -> Experiment {
        guard let experiment else { throw InvalidInput(diagnostics) }
        return experiment
    }
}

/// The process's working folder; empty when it was removed.
package func workingFolder() -> String {
    var buffer = [CChar](repeating: 0, count: 4_096)
    guard getcwd(&buffer, buffer.count) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// One load in progress.
private struct Load {
    let catalog: KindCatalog
    var documents: DocumentReader
    let overrides: [NamedValue<String>]
    var diagnostics = Diagnostics()
    var sources: [SourceText] = []

    init(catalog: KindCatalog, documents: DocumentReader, overrides: [NamedValue<String>]) {
        self.catalog = catalog
        self.documents = documents
        self.overrides = overrides
    }

    mutating func run(_ path: String) -> Experiment? {
        guard let (source, root) = documents.read(path, &sources, into: &diagnostics) else { return nil }
        guard case .mapping(let mapping) = root else {
            diagnostics.error(
                "an experiment is a mapping with title and method, found \(root.shape)", at: root.location)
            return nil
        }
        if mapping["parameters"] != nil, mapping["criteria"] == nil {
            diagnostics.error(
                "this is a fault plan, not an experiment", at: mapping.location,
                notes: ["include it in the method of an experiment: - {plan: \(path)}"])
            return nil
        }
        let configuration = readConfiguration(mapping, source)
        documents.secrets = configuration.variables.secrets
        var variables = configuration.variables
        let keys = (ExperimentKeys.configuration.key, ExperimentKeys.secrets.key)
        let body = variables.fill(.mapping(mapping.without(keys.0, keys.1)), source, into: &diagnostics)
        SecretPlaces(secrets: documents.secrets).check(body, into: &diagnostics)
        guard case .mapping(let sections) = body else { return nil }
        var experiment = readHead(sections, path)
        experiment.configuration = configuration.configuration
        experiment.secrets = configuration.secrets
        readSections(sections, source, path, &experiment)
        warnOfUnused(configuration, used: variables.used)
        return experiment
    }

    private mutating func readConfiguration(_ mapping: Node.Mapping, _ source: SourceText) -> ConfigurationReader {
        var reader = ConfigurationReader(
            environment: documents.environment, resolver: documents.resolver, source: source)
        reader.read(
            configuration: mapping[ExperimentKeys.configuration.key], secrets: mapping[ExperimentKeys.secrets.key],
            overrides: overrides)
        diagnostics.append(contentsOf: reader.diagnostics)
        for override in overrides
        where reader.places[override.name] == nil || reader.variables.secrets.contains(override.name) {
            if reader.variables.secrets.contains(override.name) {
                diagnostics.error(
                    "--var \(override.name)=…: '\(override.name)' is a secret", at: nil,
                    notes: ["a command line is visible to every user; use its environment variable or file"])
                continue
            }
            let known = reader.places.keys.sorted()
            let nearest = suggestion(for: override.name, among: known).map { "did you mean '\($0)'?" }
            let list = known.isEmpty ? "it declares none" : "declared: \(known.joined(separator: ", "))"
            diagnostics.error(
                "--var \(override.name)=…: \(source.file) declares no such variable", at: nil, notes: [nearest ?? list])
        }
        return reader
    }

    /// The keys of the file that are single values; the sections are checked for being known here, and read later.
    private mutating func readHead(_ sections: Node.Mapping, _ path: String) -> Experiment {
        var experiment = Experiment(file: path, title: "")
        let resolver = documents.resolver
        _ = ParameterReader.values(.mapping(sections), ExperimentKeys.all, into: &diagnostics) { reader in
            experiment.title = reader.value(ExperimentKeys.title)
            experiment.description = reader.value(ExperimentKeys.description) ?? ""
            experiment.tags = reader.value(ExperimentKeys.tags) ?? []
            experiment.seed = reader.value(ExperimentKeys.seed)
            _ = reader.value(ExperimentKeys.method)
            guard let runbook = reader.value(ExperimentKeys.runbook) else { return }
            experiment.runbook = resolver.resolve(runbook, from: path)
            if experiment.runbook == nil {
                reader.diagnostics.error(
                    "there is no runbook '\(runbook)'", at: reader.location(of: ExperimentKeys.runbook.key),
                    notes: ["looked beside \(path), in the current folder and upwards"])
            }
        }
        return experiment
    }

    private mutating func readSections(
        _ sections: Node.Mapping, _ source: SourceText, _ path: String, _ experiment: inout Experiment
    ) {
        var reader = SectionReader(catalog: catalog)
        let (targets, names) = reader.targets(sections[ExperimentKeys.targets.key])
        experiment.probes = reader.probes(sections[ExperimentKeys.probes.key])
        let steadyState = reader.steadyState(sections[ExperimentKeys.steadyState.key])
        let stops = reader.stopConditions(sections[ExperimentKeys.stopConditions.key])
        let criteria = reader.criteria(sections[ExperimentKeys.criteria.key])
        experiment.limits = reader.limits(sections[ExperimentKeys.limits.key])
        diagnostics.append(contentsOf: reader.diagnostics)
        var method = MethodReader(catalog: catalog, documents: documents)
        let known = Dictionary(names.map { ($0, $0) }) { first, _ in first }
        if let node = sections[ExperimentKeys.method.key] {
            method.read(node, in: MethodReader.Scope(targets: known, chain: [path], source: source))
        }
        sources += method.sources
        diagnostics.append(contentsOf: method.diagnostics)
        var order = StepOrder(method)
        experiment.method = order.resolve()
        order.checkDurations(against: experiment.limits)
        diagnostics.append(contentsOf: order.diagnostics)
        experiment.targets = targets + method.targets
        experiment.steadyState = steadyState?.steadyState
        experiment.stopConditions = stops.map(\.condition)
        experiment.criteria = criteria.map(\.criterion)
        checkReferences(experiment, steadyState, stops, criteria)
        warn(experiment, source)
    }

    private mutating func checkReferences(
        _ experiment: Experiment, _ steadyState: LocatedSteadyState?, _ stops: [LocatedStopCondition],
        _ criteria: [LocatedCriterion]
    ) {
        var check = ReferenceCheck(catalog: catalog, probes: experiment.probes)
        check.check(experiment.targets)
        check.check(steadyState)
        check.check(stops)
        check.check(criteria, steps: experiment.method)
        diagnostics.append(contentsOf: check.diagnostics)
        var budget = OutageBudgetCheck()
        budget.check(criteria)
        diagnostics.append(contentsOf: budget.diagnostics)
    }

    private mutating func warnOfUnused(_ configuration: ConfigurationReader, used: Set<String>) {
        if diagnostics.hasErrors { return }
        for (name, place) in configuration.places where !used.contains(name) {
            let noun = configuration.variables.secrets.contains(name) ? "secret" : "variable"
            diagnostics.warning("the \(noun) '\(name)' is used nowhere", at: place)
        }
    }

    private mutating func warn(_ experiment: Experiment, _ source: SourceText) {
        if experiment.criteria.isEmpty {
            diagnostics.warning(
                "no criteria: the run can only end inconclusive", at: Location(file: source.file, line: 1, column: 1),
                notes: ["squall list criteria"])
        }
        // With errors, what would use a target may be what could not be read.
        if diagnostics.hasErrors { return }
        let used = Set(experiment.method.flatMap { $0.targets.map(\.value) })
        for target in experiment.targets where !used.contains(target.name) {
            diagnostics.warning("the target '\(target.name)' is used by no step", at: target.location)
        }
    }

    /// The findings by file and place, each once.
    func sorted() -> Diagnostics {
        let files = sources.map(\.file)
        func rank(_ found: (offset: Int, element: Diagnostic)) -> (Int, Int, Int, Int) {
            guard let location = found.element.location else { return (-1, 0, 0, found.offset) }
            let file = files.firstIndex(of: location.file) ?? files.count
            return (file, location.line, location.column, found.offset)
        }
        var result = Diagnostics()
        var seen: Set<Diagnostic> = []
        let ordered = diagnostics.all.enumerated().sorted { rank($0) < rank($1) }
        for (_, diagnostic) in ordered where seen.insert(diagnostic).inserted { result.append(diagnostic) }
        return result
    }
}
