import Foundation
import Testing

/// Scripts run suites by their name: one that is named otherwise would never run where it can.
@Suite struct LabSuiteTests {
    @Test func everySuiteThatNeedsTheLabIsNamedLabTests() throws {
        let suites = try Self.suites { line in
            line.contains("SQUALL_LAB") || line.contains("LabWanted") || line.contains("hasLab")
        }
        #expect(suites.count >= 7, "\(suites)")
        let misnamed = suites.filter { !$0.contains("LabTests") }
        #expect(misnamed.isEmpty, "scripts/test would skip \(misnamed)")
    }

    @Test func everySuiteThatNeedsTheVirtualMachineIsNamedVMTests() throws {
        let misnamed = try Self.suites { $0.contains("SQUALL_VM") || $0.contains("isVirtualMachine") }
            .filter { !$0.contains("VMTests") }
        #expect(misnamed.isEmpty, "scripts/vm-test may skip \(misnamed)")
    }

    /// The declarations that follow a `@Suite(.enabled(if: …))` which `isMeant` accepts.
    private static func suites(_ isMeant: (Substring) -> Bool) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        var suites: [String] = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
            for (index, line) in lines.enumerated() where line.contains(".enabled(if:") && line.contains("@Suite") {
                guard isMeant(line) else { continue }
                let declared = line.contains("struct ") ? line : lines[(index + 1)...].first { $0.contains("struct ") }
                suites.append(String(declared ?? "nothing"))
            }
        }
        return suites
    }
}
