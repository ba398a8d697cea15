import Testing

/// Rules for every shell script: strict, nothing swallowed, and what it is for is said at its top.
@Suite struct ScriptRuleTests {
    @Test(arguments: try Script.all())
    func aScriptStopsAtItsFirstError(path: String) throws {
        let text = try Script.text(of: path)
        #expect(text.contains("\nset -euo pipefail\n"))
        #expect(!text.contains("|| true") && !text.contains("set +e"), "handle the failure or let it stop the script")
    }

    @Test(arguments: try Script.all())
    func aScriptSaysWhatItIsFor(path: String) throws {
        let lines = try Script.text(of: path).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count > 1 && lines[1].hasPrefix("# "))
    }
}
