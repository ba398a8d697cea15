import Testing

/// The shape of the code that a reader relies on: short files, no heavy library, no trap where a system is touched.
@Suite struct ShapeTests {
    let tree: SourceTree

    init() throws {
        tree = try SourceTree()
    }

    @Test func noFileIsLongerThanFiveHundredLines() {
        #expect(tree.files.count > 100)
        let long = tree.files.filter { $0.lines.count > 500 }.map { "\($0.path): \($0.lines.count) lines" }
        #expect(long.isEmpty, "split by concept: \(long)")
    }

    @Test func foundationStaysOutsideTheProduct() {
        // Foundation brings ICU (40 MB) and a slower start; FoundationEssentials has what is needed of it. Yams imports
        // it for itself, which costs the binary nothing that we could save.
        let heavy = tree.imports.filter { ["Foundation", "FoundationNetworking", "Dispatch"].contains($0.module) }
        #expect(heavy.isEmpty, "import FoundationEssentials or write the ten lines: \(heavy)")
    }

    @Test func nothingThatTalksToASystemTraps() {
        let modules: Set = ["Controller", "Journal", "Docker", "Postgres", "Process", "Web", "HTTP"]
        let traps = tree.code(containing: ["fatalError(", "try!", " as! "]) { modules.contains($0.module) }
        #expect(traps.isEmpty, "return an error: \(traps)")
    }

    @Test func checkersReadNoClockAndTouchNothing() {
        let imports = Set(tree.imports.filter { $0.file.module == "Checkers" }.map(\.module))
        #expect(imports.isSubset(of: ["Basics", "Experiment", "Contracts", "Glibc"]), "\(imports)")
        let impure = tree.code(containing: ["TimeSource", "async ", "open(", "SystemRandom"]) {
            $0.module == "Checkers"
        }
        #expect(impure.isEmpty, "a checker is a function of the history: \(impure)")
    }
}
