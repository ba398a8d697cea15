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
            let logs = name == "empty" ? [] : ["orders.hlog"]
            #expect(files.map(\.name) == RunFiles.names + logs)
            let found = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(found == (RunFiles.names + logs).sorted())
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

    @Test func aStepSummaryIsAppendedToAndNeverOverwritten() throws {
        try withFolder("step-summary") { folder in
            let path = "\(folder)/summary.md"
            try "earlier step\n".write(toFile: path, atomically: true, encoding: .utf8)
            let report = RunReport(SyntheticRun.empty.verdict, SyntheticRun.empty.history)
            try RunFiles.append(report, toStepSummary: path)
            try RunFiles.append(report, toStepSummary: path)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text == "earlier step\n" + String(repeating: MarkdownSummary.text(report) + "\n", count: 2))
        }
    }

    @Test func aFolderThatCannotBeWrittenIsAnErrorThatNamesFileCauseAndNextCommand() throws {
        let run = SyntheticRun.empty
        let error = #expect(throws: ReportError.self) {
            try RunFiles.write(run.verdict, run.history, to: "/nonexistent/runs/r1")
        }
        #expect(error?.failures.count == RunFiles.names.count)
        let text = error?.description ?? ""
        #expect(text.contains("/nonexistent/runs/r1/report.html"))
        #expect(text.contains("No such file or directory"))
        #expect(text.contains("squall report /nonexistent/runs/r1"))
    }

    @Test func aFullDiskIsReportedAndTheOldFileStays() throws {
        // /dev/full fails every write with ENOSPC: a link with the temporary file's name leads there.
        try withFolder("full") { folder in
            try "old".write(toFile: "\(folder)/verdict.json", atomically: true, encoding: .utf8)
            let temporary = "\(folder)/verdict.json.\(ProcessInfo.processInfo.processIdentifier).part"
            try FileManager.default.createSymbolicLink(atPath: temporary, withDestinationPath: "/dev/full")
            let run = SyntheticRun.empty
            let error = #expect(throws: ReportError.self) {
                try RunFiles.write(run.verdict, run.history, to: folder)
            }
            #expect(error?.failures.count == 1)
            #expect(error?.description.contains("No space left on device") == true)
            #expect(try String(contentsOfFile: "\(folder)/verdict.json", encoding: .utf8) == "old")
            #expect(FileManager.default.fileExists(atPath: "\(folder)/report.html"))
            #expect(!FileManager.default.fileExists(atPath: temporary))
        }
    }
}
