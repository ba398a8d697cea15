import Foundation
import Testing

/// `scripts/test` runs the suites that break the lab by their name: one that is named otherwise would never run.
@Suite struct LabSuiteTests {
    @Test func everySuiteThatNeedsTheLabIsNamedLabTests() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        var suites: [String] = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            for (index, line) in lines.enumerated() where line.contains(".enabled(if:") && line.contains("@Suite") {
                guard line.contains("SQUALL_LAB") || line.contains("LabWanted") || line.contains("hasLab") else {
                    continue
                }
                let name = lines[(index + 1)...].first { $0.contains("struct ") }
                suites.append(String(name ?? "nothing"))
            }
        }
        #expect(suites.count >= 7, "\(suites)")
        let misnamed = suites.filter { !$0.contains("LabTests") }
        #expect(misnamed.isEmpty, "scripts/test would skip \(misnamed)")
    }
}
