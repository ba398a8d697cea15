import Basics
import Checkers
import Contracts
import Experiment
import Testing

/// Every kind can be read from a file and explains itself.
@Suite struct KindTests {
    static let nowhere = Location(file: "test.yaml", line: 1, column: 1)

    func read(_ kind: String, _ entries: [(String, String)]) -> (checker: (any Checker)?, errors: [String]) {
        guard let type = CheckerKinds.registry.checker(kind) else { return (nil, ["no kind"]) }
        let mapping = Node.Mapping(
            entries.map { .init($0.0, at: Self.nowhere, .scalar(.init($0.1, at: Self.nowhere))) }, at: Self.nowhere)
        var diagnostics = Diagnostics()
        func build<C: Checker>(_ type: C.Type) -> (any Checker)? {
            ParameterReader.read(.mapping(mapping), C.parameters, into: &diagnostics) { C(from: &$0) }
        }
        return (build(type), diagnostics.all.map(\.message))
    }

    @Test func theKindsOfTheDesignAreThere() {
        let kinds = CheckerKinds.registry.checkers.map { $0.kind }
        #expect(Set(["rto", "rpo", "split-brain", "availability", "recovery", "latency"]).isSubset(of: kinds))
        #expect(Set(kinds).count == kinds.count)
    }

    @Test(arguments: CheckerKinds.registry.checkers.map { $0.kind })
    func everyKindHasAManualWhoseExampleItReads(kind: String) {
        guard let type = CheckerKinds.registry.checker(kind) else { return }
        let manual = type.manual
        #expect(!manual.summary.isEmpty && manual.details.count > 80)
        // The example is one flow mapping: `rto: {probe: orders, max: 30s}`.
        #expect(manual.example.hasPrefix("\(kind): {") && manual.example.hasSuffix("}"))
        let inside = manual.example.dropFirst(kind.count + 3).dropLast()
        let entries = inside.split(separator: ", ").map { pair in
            let parts = pair.split(separator: ": ", maxSplits: 1).map { $0.filter { $0 != "\"" } }
            return (String(parts[0]), String(parts[1]))
        }
        let result = read(kind, entries.filter { $0.0 != "probe" })
        #expect(result.errors.isEmpty)
        #expect(result.checker != nil)
    }

    @Test(arguments: [
        ("rto", [("max", "30")], "a duration with its unit"), ("rto", [], "missing 'max'"),
        ("rto", [("max", "30s"), ("hold", "0s")], "a hold of 0s"),
        ("availability", [("min", "70%")], "missing 'window'"),
        ("availability", [("min", "70%"), ("window", "0s")], "a window of 0s"),
        ("latency", [], "name at least one limit"), ("latency", [("p99", ">= 100ms")], "an upper limit in time"),
        ("latency", [("p99", "99%")], "an upper limit in time"), ("rpo", [("max-lost-writes", "-1")], "at least 0"),
        ("recovery", [("wihtin", "5m")], "unknown key"),
    ])
    func whatCannotBeMeantIsRefused(kind: String, entries: [(String, String)], message: String) {
        let errors = read(kind, entries).errors
        #expect(errors.contains { $0.contains(message) }, "\(errors)")
    }

    @Test func theOutageBudgetIsToldToTheLoader() {
        #expect(read("rto", [("max", "30s")]).checker?.budget.recoveryTime == .seconds(30))
        let availability = read("availability", [("min", "70%"), ("window", "2m")]).checker?.budget
        #expect(availability?.window == .minutes(2) && availability?.availability == Share(fraction: 0.7))
        #expect(read("recovery", [("within", "5m")]).checker?.budget.recoveryWithin == .minutes(5))
    }
}
