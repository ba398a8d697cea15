package import Basics
package import Contracts
internal import Glibc

/// Writes the files of a run that are made from its history; `events.ndjson` and `journal` are there already.
package enum RunFiles {
    /// The files that every run has, in the order in which people want them; the latency logs (`*.hlog`) come after them.
    package static let names = ["report.html", "summary.md", "verdict.json", "junit.xml"]

    /// Writes every file into the run's folder and returns their names and paths.
    ///
    /// Each is written beside its place, synced and renamed: a reader never sees half a report, and a full disk is an
    /// error here instead of an empty file later. One file's failure does not keep the others from being written.
    @discardableResult
    package static func write(
        _ verdict: RunVerdict, _ history: History, to folder: String
    ) throws(ReportError) -> [(name: String, path: String)] {
        try write(RunReport(verdict, history), to: folder)
    }

    /// The same for a report that is built already.
    @discardableResult
    package static func write(
        _ report: RunReport, to folder: String
    ) throws(ReportError) -> [(name: String, path: String)] {
        var failures: [SystemError] = []
        var written: [(name: String, path: String)] = []
        func put(_ name: String, _ text: String) {
            let path = "\(folder)/\(name)"
            do throws(SystemError) {
                try replace(path, with: text)
                written.append((name, path))
            } catch {
                failures.append(error)
            }
        }
        for name in names { put(name, content(name, report)) }
        for file in HistogramLog.files(report) { put(file.name, file.text) }
        if !failures.isEmpty { throw ReportError(folder: folder, failures: failures) }
        return written
    }

    private static func content(_ name: String, _ report: RunReport) -> String {
        switch name {
        case "report.html": HTMLReport.text(report)
        case "summary.md": MarkdownSummary.text(report)
        case "verdict.json": VerdictJSON.text(report)
        default: JUnitXML.text(report)
        }
    }

    /// Puts a file in place in one step: temporary file, fsync, rename.
    static func replace(_ path: String, with text: String) throws(SystemError) {
        let temporary = "\(path).\(getpid()).part"
        do throws(SystemError) {
            let file = try Descriptor(opening: temporary, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try file.writeAll(Array(text.utf8), subject: temporary)
            try retryingInterrupts("fsync", subject: temporary) { fsync(file.number) }
            try retryingInterrupts("rename", subject: path) { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Appends the Markdown summary to the file a CI job names (`$GITHUB_STEP_SUMMARY`); never overwrites what others wrote.
    package static func append(_ report: RunReport, toStepSummary path: String) throws(ReportError) {
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
            try file.writeAll(Array((MarkdownSummary.text(report) + "\n").utf8), subject: path)
        } catch {
            throw ReportError(folder: path, failures: [error])
        }
    }
}

/// One or more files of a run could not be written.
package struct ReportError: Error, Sendable, CustomStringConvertible {
    /// The run's folder, or the one file.
    package var folder: String
    package var failures: [SystemError]

    package var description: String {
        let causes = failures.map(\.description).joined(separator: "; ")
        return "could not write the report under \(folder): \(causes); "
            + "make room or permit writing, then `squall report \(folder)` makes it again from events.ndjson"
    }
}
