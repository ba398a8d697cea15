internal import Basics
internal import Contracts
import Testing

@testable import Experiment

/// The examples that `squall explain` prints can be pasted into an experiment file.
@Suite struct ManualExampleTests {
    private static var examples: [(kind: String, text: String)] {
        let registry = Shipped.registry
        return registry.faults.map { ($0.kind, $0.manual.example) }
            + registry.probes.map { ($0.kind, $0.manual.example) }
            + registry.checkers.map { ($0.kind, $0.manual.example) }
            + registry.targetSources.map { ($0.kind, $0.manual.example) }
    }

    /// What an example leaves out: the other declarations that it refers to.
    private static let allowed = ["no target is named", "no probe is named", "no step is named"]

    @Test(arguments: examples.indices)
    func isAValidPieceOfAFile(index: Int) throws {
        let (kind, text) = ManualExampleTests.examples[index]
        #expect(text.contains(kind), "the example of \(kind) does not show it")
        let file = try #require(wrapped(text, kind), "the example of \(kind) is no section, step, probe or criterion")
        var files = FileAccess.memory(["example.yaml": file])
        files.exists = { _ in true }
        let result = Shipped.loader(files).load("example.yaml")
        let errors = result.diagnostics.all.filter { diagnostic in
            diagnostic.severity == .error
                && !ManualExampleTests.allowed.contains { diagnostic.message.hasPrefix($0) }
        }
        let renderer = DiagnosticRenderer(sources: result.sources)
        #expect(errors.map(renderer.render).joined() == "", "the example of \(kind)")
    }

    /// The example with what makes it a whole file.
    private func wrapped(_ text: String, _ kind: String) -> String? {
        var diagnostics = Diagnostics()
        guard let node = YAMLReader.read(SourceText(file: "example", text: text), into: &diagnostics) else {
            return nil
        }
        let indented = text.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }
            .joined(separator: "\n")
        switch node {
        case .sequence: return "title: t\nmethod:\n\(indented)\n"
        case .scalar: return nil
        case .mapping(let mapping):
            let keys = Set(mapping.entries.map(\.key))
            if keys.isSubset(of: ExperimentKeys.all.map(\.key)) {
                return "title: t\n\(text)\n" + (keys.contains("method") ? "" : "method: []\n")
            }
            if Shipped.registry.checker(kind) != nil { return "title: t\nmethod: []\ncriteria:\n\(indented)\n" }
            if Shipped.registry.probe(kind) != nil { return "title: t\nmethod: []\nprobes:\n\(indented)\n" }
            if Shipped.registry.targetSource(kind) != nil { return "title: t\nmethod: []\ntargets:\n\(indented)\n" }
            return nil
        }
    }
}

/// What the registry tells the loader.
@Suite struct CatalogTests {
    @Test func everyKindSaysWhatItIs() {
        let catalog = Shipped.registry.catalog
        let kinds: [any CatalogKind] = catalog.faults + catalog.probes + catalog.criteria + catalog.targetSources
        for kind in kinds {
            #expect(!kind.summary.isEmpty, "\(kind.kind)")
            for parameter in kind.parameters { #expect(!parameter.summary.isEmpty, "\(kind.kind).\(parameter.key)") }
        }
        #expect(Set(kinds.map(\.kind)).count == kinds.count)
    }

    @Test func takesTargetsAsTheFaultSays() {
        let catalog = Shipped.registry.catalog
        #expect(catalog.fault("process.signal")?.roles == .optional)
        #expect(catalog.fault("postgres.promote")?.roles == .target)
    }

    @Test func letsTheKindsOwnReaderSpeak() {
        var files = FileAccess.memory([
            "x.yaml": "title: t\nmethod: []\nprobes:\n  a: {type: http.check, url: \"ftp://x\"}\n"
        ])
        files.exists = { _ in true }
        let errors = Shipped.loader(files).load("x.yaml").diagnostics.all.filter { $0.severity == .error }
        #expect(errors.map(\.message) == ["'ftp://x' is no http:// or https:// address"])
        #expect(errors.first?.location == Location(file: "x.yaml", line: 4, column: 30))
    }

    @Test func knowsTheUnitsOfTheMetricsAndOfTheOutageBudget() {
        let text = """
            title: t
            method: []
            probes:
              a: {type: http.check, url: "http://x"}
              b: {type: postgres.roles, nodes: {n: "host=n"}}
            steady-state-hypothesis:
              probes:
                - {probe: a, tolerance: {success: 1, p95: "<= 5", rate: "> 5", samples: "> 5"}}
                - {probe: b, tolerance: {primaries: 1s, state: primary}}
            criteria:
              rto: {probe: a, max: 31s}
              availability: {probe: a, min: 50%, window: 1m}
              split-brain: {probe: a}
              rpo: {probe: a}
            """
        let result = Shipped.loader(.memory(["x.yaml": text])).load("x.yaml")
        let messages = result.diagnostics.all.map(\.message)
        #expect(
            messages == [
                "'success' is compared with a percentage, for example >= 99.9%; found '1'",
                "'p95' is compared with a duration with its unit, for example <= 100ms; found '5'",
                "'rate' is compared with a rate with its unit, for example >= 190/s; found '5'",
                "'primaries' is compared with a plain number, for example 1; found '1s'",
                "'rto' and 'availability' cannot hold together: 50% of 1m leaves an outage budget of 30s, less than the 31s "
                    + "that 'rto' allows",
                "rpo needs read-backs (which writes are still there), which 'a' (http.check) does not record",
            ])
    }
}
