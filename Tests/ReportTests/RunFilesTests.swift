import Basics
import Contracts
import FoundationEssentials
import Report
import Testing

@Suite struct RunFilesTests {
    /// A folder that is gone when the test ends; `SQUALL_KEEP_REPORTS` names a place where the files stay to be looked at.
    private func withFolder(_ name: String, _ body: (String) throws -> Void) throws {
        if let kept = ProcessInfo.processInfo.environment["SQUALL_KEEP_REPORTS"] {
            try FileManager.default.createDirectory(atPath: "\(kept)/\(name)", withIntermediateDirectories: true)
            return try body("\(kept)/\(name)")
        }
        let folder = "\(FileManager.default.temporaryDirectory.path)/squall-report-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test(arguments: 0..<4)
    func everyFileOfARunIsWrittenWholeAndNothingElseIsLeft(index: Int) throws {
        let (name, run) = SnapshotTests.runs[index]
        try withFolder(name) { folder in
            let files = try RunFiles.write(run.verdict, run.history, to: folder)
            #expect(files.map(\.name) == RunFiles.names)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == RunFiles.names.sorted())
            for file in files {
                let text = try String(contentsOfFile: file.path, encoding: .utf8)
                #expect(text.hasSuffix("\n"))
                #expect(text.utf8.count > 100)
            }
            let html = try String(contentsOfFile: "\(folder)/report.html", encoding: .utf8)
            #expect(html.utf8.count < 2_000_000)
            #expect(html.hasSuffix("</html>\n"))
        }
    }
}
