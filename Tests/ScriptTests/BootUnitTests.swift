import Foundation
import Testing

/// The unit that heals at boot.
@Suite struct BootUnitTests {
    private static let path = "scripts/systemd/squall-heal.service"

    /// Section and key → values in file order, by systemd.syntax(7).
    private func settings() throws -> [String: [String]] {
        let text = try String(contentsOf: Script.root.appending(path: Self.path), encoding: .utf8)
        var section = ""
        var found: [String: [String]] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            if line.hasPrefix("[") {
                section = String(line.dropFirst().prefix { $0 != "]" })
                continue
            }
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            try #require(parts.count == 2, "no setting: \(line)")
            found["\(section).\(parts[0])", default: []].append(parts[1])
        }
        return found
    }

    @Test func whatIsOutOfReachAtBootIsTriedAgain() throws {
        let settings = try settings()
        #expect(settings["Service.Type"] == ["oneshot"])
        #expect(settings["Service.Restart"] == ["on-failure"])
        #expect(settings["Service.RestartSec"] == ["30s"])
        // Usage errors do not pass with time.
        #expect(settings["Service.RestartPreventExitStatus"] == ["2"])
        #expect(settings["Install.WantedBy"] == ["multi-user.target"])
    }

    @Test func theEngineAndTheNetworkComeFirst() throws {
        let settings = try settings()
        let after = Set(settings["Unit.After"]?.flatMap { $0.split(separator: " ").map(String.init) } ?? [])
        #expect(after.isSuperset(of: ["docker.service", "network-online.target"]))
        // After= alone starts nothing.
        #expect(settings["Unit.Wants"] == ["network-online.target"])
    }

    @Test func itHealsEveryRegisteredJournalAndStartsOnlyWhenThereIsOne() throws {
        let settings = try settings()
        #expect(settings["Service.ExecStart"] == ["/usr/local/bin/squall heal --all --runs /var/lib/squall/runs"])
        #expect(settings["Service.Environment"] == ["SQUALL_STATE_DIR=/var/lib/squall"])
        #expect(settings["Unit.ConditionDirectoryNotEmpty"] == ["/var/lib/squall/journals"])
    }

    private static let hasSystemd = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    @Test(.enabled(if: hasSystemd, "needs systemd-analyze"))
    func systemdItselfUnderstandsIt() async throws {
        // Verified as it stands, but for a program that every machine has.
        let text = try String(contentsOf: Script.root.appending(path: Self.path), encoding: .utf8)
        let folder = FileManager.default.temporaryDirectory.appending(path: "squall-unit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let unit = folder.appending(path: "squall-heal.service")
        let runnable = text.replacing("/usr/local/bin/squall", with: "/usr/bin/env")
        try runnable.write(to: unit, atomically: true, encoding: .utf8)
        let result = try await Script.run(
            program: URL(filePath: "/usr/bin/systemd-analyze"), ["verify", "--man=no", unit.path])
        #expect(result.exitCode == 0, "\(result.errors)")
        let ours = result.errors.split(separator: "\n").filter { $0.contains("squall-heal") }
        #expect(ours.isEmpty, "\(ours)")
    }
}
