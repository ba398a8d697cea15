import FoundationEssentials
import Testing

/// Compares a text with the file of that name beside the tests; `SQUALL_RECORD=1` writes the file instead, and says so
/// by failing, so that a recording run is never mistaken for a passing one.
func expectSnapshot(
    _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation, file: String = #filePath
) throws {
    let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    let path = "\(folder)/Snapshots/\(name)"
    if ProcessInfo.processInfo.environment["SQUALL_RECORD"] != nil {
        try FileManager.default.createDirectory(atPath: "\(folder)/Snapshots", withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        Issue.record("recorded \(name); run again without SQUALL_RECORD", sourceLocation: sourceLocation)
        return
    }
    let recorded = try String(contentsOfFile: path, encoding: .utf8)
    let left = text.split(separator: "\n", omittingEmptySubsequences: false)
    let right = recorded.split(separator: "\n", omittingEmptySubsequences: false)
    let line = (0..<max(left.count, right.count)).first {
        (left.indices.contains($0) ? left[$0] : nil) != (right.indices.contains($0) ? right[$0] : nil)
    }
    guard let line else { return }
    Issue.record(
        """
        \(name) differs in line \(line + 1); SQUALL_RECORD=1 accepts the new text
        now:      \(left.indices.contains(line) ? left[line] : "(nothing)")
        recorded: \(right.indices.contains(line) ? right[line] : "(nothing)")
        """, sourceLocation: sourceLocation)
}
