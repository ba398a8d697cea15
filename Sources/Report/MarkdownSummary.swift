internal import Basics
internal import Contracts

/// `summary.md`: the verdict for a pull request or a job's summary page. The first line is the verdict; at most 60 KiB,
/// so that it fits a comment (64 KiB) as well as `$GITHUB_STEP_SUMMARY` (1 MiB for all steps together).
package enum MarkdownSummary {
    private static let limit = 60 * 1_024

    /// The document with a newline at its end.
    package static func text(_ report: RunReport) -> String {
        let verdict = report.verdict
        var lines = [
            "**\(verdict.verdict.word)** · \(escape(verdict.run.title)): \(escape(verdict.reason))", "",
        ]
        lines += criteria(report)
        lines += faults(report)
        lines += events(report)
        lines += traffic(report)
        lines += untested(report)
        let run = verdict.run
        lines.append(
            "Run `\(code(run.run))` · \(report.clock.date(report.clock.start).iso8601) · \(report.clock.duration) · "
                + "exit code \(verdict.exitCode) · seed \(run.seed) · squall \(escape(run.toolVersion)) · `report.html` has the charts"
        )
        return cut(lines)
    }

    private static func criteria(_ report: RunReport) -> [String] {
        guard !report.verdict.criteria.isEmpty || !report.unjudged.isEmpty else { return [] }
        var lines = ["| | criterion | limit | measured | bounds | n | why |", "|---|---|---|---|---|---:|---|"]
        for result in report.verdict.criteria {
            let probe = result.probe.isEmpty ? "" : " (\(result.probe))"
            let cells = [
                mark(result.verdict), result.name + probe, result.limit, result.measuredText, result.boundsText,
                String(result.samples), result.reason,
            ]
            lines.append("| " + cells.map(escape).joined(separator: " | ") + " |")
        }
        lines += report.unjudged.map { "| not judged | \(escape($0)) | | | | | \(escape(report.verdict.reason)) |" }
        return lines + [""]
    }

    private static func faults(_ report: RunReport) -> [String] {
        guard !report.verdict.faults.isEmpty else { return ["No fault was injected.", ""] }
        var lines = ["| fault | target | effect | healed |", "|---|---|---|---|"]
        for record in report.verdict.faults {
            let effect =
                record.effectiveAt.map {
                    "\(report.clock.offset($0.upper)) (within \(Figure.latency($0.width))): \(record.evidence)"
                } ?? (record.failure.isEmpty ? "not shown" : "not shown: \(record.failure)")
            let healed = record.healedAt.map { "\(report.clock.offset($0)), verified" } ?? record.stage.words
            let cells = ["\(record.step) (\(record.kind))", record.target.text, effect, healed]
            lines.append("| " + cells.map(escape).joined(separator: " | ") + " |")
        }
        lines += ["", "Clean-up: \(escape(report.cleanUpSentence))."]
        for leftover in report.verdict.leftovers {
            lines.append("- \(escape(leftover.kind)) on \(escape(leftover.target)): \(escape(leftover.description))")
            lines += leftover.commands.map { "  - `\(code($0))`" }
        }
        return lines + [""]
    }

    private static func events(_ report: RunReport) -> [String] {
        let events = report.worstEvents(3)
        guard !events.isEmpty else { return [] }
        return ["Worst events:"]
            + events.map { "- \(report.clock.offset($0.at)) \(escape($0.source)): \(escape($0.message))" } + [""]
    }

    private static func traffic(_ report: RunReport) -> [String] {
        guard !report.clientPaths.isEmpty else { return [] }
        var lines = [
            "| probe, path | due | ok | failed | unknown | not sent | median | p99 | longest gap |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for path in report.clientPaths {
            let gap = path.gaps.first.map { gap in
                gap.to.map { Figure.text(($0 - gap.from).seconds, unit: "s") } ?? "to the end"
            }
            let cells = [
                path.path.isEmpty ? path.probe.text : "\(path.probe), \(path.path)", String(path.due), String(path.ok),
                String(path.failed), String(path.unknown), String(path.unsent), Figure.latency(path.median),
                Figure.latency(path.p99), gap ?? "none",
            ]
            lines.append("| " + cells.map(escape).joined(separator: " | ") + " |")
        }
        return lines + [""]
    }

    private static func untested(_ report: RunReport) -> [String] {
        guard !report.verdict.untested.isEmpty else { return [] }
        return ["Not tested or not measured:"] + report.verdict.untested.map { "- \(escape($0))" } + [""]
    }

    private static func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .pass: "✅ pass"
        case .fail: "❌ fail"
        case .inconclusive: "❔ inconclusive"
        }
    }

    /// Text that cannot break a table, start markup or carry terminal escapes.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "|", "\\", "`", "*", "_", "[", "]", "#": escaped += "\\\(scalar)"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "&": escaped += "&amp;"
            case "\u{0}"..<"\u{20}", "\u{7F}": escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Text between backquotes.
    private static func code(_ text: String) -> String {
        String(text.map { $0 == "`" || $0 == "|" || $0.isNewline ? " " : $0 })
    }

    /// Whole lines only, so that a cut never leaves half a table row.
    private static func cut(_ lines: [String]) -> String {
        var text = ""
        for line in lines {
            guard text.utf8.count + line.utf8.count < limit else {
                return text + "\n…cut here; `report.html` has the rest.\n"
            }
            text += line + "\n"
        }
        return text
    }
}
