import Testing

/// A trap while a fault is live leaves it to the medic; code that is near a fault returns errors instead.
@Suite struct TrapTests {
    let tree: SourceTree

    init() throws {
        tree = try SourceTree()
    }

    @Test func nothingNearAFaultTraps() {
        let guarded: Set = ["Controller", "Journal", "Network"]
        let traps = tree.code(containing: ["fatalError(", "preconditionFailure(", "precondition(", "try!", " as! "]) {
            guarded.contains($0.module) || $0.path.contains("Fault")
        }
        #expect(traps.isEmpty, "return an error or an unknown outcome: \(traps)")
    }

    @Test func uncheckedSendableIsRare() {
        let claims = tree.code(containing: ["@unchecked Sendable"]) { _ in true }
        #expect(claims.count <= 3, "Mutex<State> or an actor says the same and is checked: \(claims)")
    }

    @Test func noCodeReadsAClockOfItsOwn() {
        let clocks = tree.code(containing: ["ContinuousClock", "Task.sleep(", "Date()", "Date.now"]) {
            $0.module != "Basics"
        }
        #expect(clocks.isEmpty, "time comes from a TimeSource: \(clocks)")
    }
}
