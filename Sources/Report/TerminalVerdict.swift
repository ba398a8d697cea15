internal import Basics
internal import Contracts

/// The end of a run in the terminal: verdict, why, a row per criterion, the outage in phases, faults, leftovers, files.
package enum TerminalVerdict {
    /// The lines for a terminal of this width; `files` are names and paths, printed last where people look.
    package static func lines(
        _ report: RunReport, files: [(name: String, path: String)], width: Int = 100, colour: Bool = false
    ) -> [String] {
        var lines = head(report)
        lines += criteria(report)
        lines += waterfalls(report, width: width)
        lines += faults(report)
        lines += cleanUp(report)
        lines += list("not tested", report.verdict.untested)
        if !files.isEmpty {
            let column = files.map(\.name.count).max() ?? 0
            lines += ["", title("files")]
            lines += files.map { StyledText("  ") + StyledText($0.name, .dim).padded(column + 2) + StyledText($0.path) }
        }
        // Paths are never cut: they are there to be copied.
        return lines.map { $0.rendered(width: max(width, $0.width), colour: colour) }
    }

    private static func head(_ report: RunReport) -> [StyledText] {
        let verdict = report.verdict
        return [
            StyledText(" \(verdict.verdict.word) ", style(verdict.verdict))
                + StyledText(" \(verdict.run.title)", .bold),
            StyledText("  \(verdict.reason)"),
            StyledText(
                "  run \(verdict.run.run) · \(report.clock.duration) · exit code \(verdict.exitCode)", .dim),
        ]
    }

    private static func criteria(_ report: RunReport) -> [StyledText] {
        let results = report.verdict.criteria
        guard !results.isEmpty || !report.unjudged.isEmpty else {
            return ["", StyledText("  no criteria were judged", .dim)]
        }
        let header = ["criterion", "measured", "bounds", "limit", "n", "verdict"]
        let rows = results.map {
            [
                $0.probe.isEmpty ? $0.name : "\($0.name) (\($0.probe))", $0.measuredText, $0.boundsText, $0.limit,
                String($0.samples), $0.verdict.rawValue,
            ]
        }
        let columns = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func row(_ cells: [String], _ styles: (Int) -> StyledText.Style) -> StyledText {
            cells.enumerated().reduce(StyledText("  ")) { line, cell in
                line + StyledText(cell.element, styles(cell.offset)).padded(columns[cell.offset] + 2)
            }
        }
        var lines: [StyledText] = ["", row(header) { _ in .dim }]
        for (result, cells) in zip(results, rows) {
            lines.append(row(cells) { $0 == 5 ? style(result.verdict) : $0 == 1 ? .bold : .plain })
            if result.verdict != .pass { lines.append(StyledText("    \(result.reason)", .dim)) }
            lines += result.exceptions.prefix(5).map { StyledText("    - \($0)", .dim) }
            if result.exceptions.count > 5 {
                lines.append(StyledText("    … \(result.exceptions.count - 5) more in verdict.json", .dim))
            }
        }
        lines += report.unjudged.map { StyledText("  \($0)  ") + StyledText("not judged", .yellow) }
        return lines
    }

    /// The phases of every duration that has some, as bars on one scale, each beginning where the one before ends.
    private static func waterfalls(_ report: RunReport, width: Int) -> [StyledText] {
        report.verdict.criteria.flatMap { result -> [StyledText] in
            let waterfall = Waterfall(result)
            let total = waterfall.scale
            guard total > 0 else { return [] }
            let column = waterfall.bars.map(\.name.count).max() ?? 0
            let values = waterfall.bars.map { Figure.text($0.value, unit: result.unit) }
            let valueColumn = values.map(\.count).max() ?? 0
            let space = max(10, min(60, width - column - valueColumn - 9))
            var lines: [StyledText] = ["", title("\(result.displayName) in phases, from the fault's effect")]
            for (bar, value) in zip(waterfall.bars, values) {
                let start = Int((bar.start / total * Double(space)).rounded(.down))
                let length = max(1, Int((min(1, bar.end / total) * Double(space)).rounded()) - start)
                let padding = String(repeating: " ", count: max(0, valueColumn - value.count))
                let cells = String(repeating: bar.isBackground ? "┄" : "█", count: length)
                lines.append(
                    StyledText("  ") + StyledText(bar.name).padded(column + 2) + StyledText(padding + value, .bold)
                        + StyledText("  " + String(repeating: " ", count: start))
                        + StyledText(cells + (bar.end > total ? "→" : ""), bar.isBackground ? .dim : .cyan))
            }
            return lines
        }
    }

    private static func faults(_ report: RunReport) -> [StyledText] {
        guard !report.verdict.faults.isEmpty else { return ["", StyledText("  no fault was injected", .dim)] }
        return ["", title("faults")]
            + report.verdict.faults.flatMap { record -> [StyledText] in
                var line = StyledText("  ") + StyledText(record.step.text, .bold)
                line.append(" \(record.kind) on \(record.target): ")
                if let effect = record.effectiveAt {
                    line.append("effective \(Figure.offset(effect.upper - report.clock.start)) into the run")
                    line.append(" (within \(Figure.latency(effect.width)))", .dim)
                } else {
                    line.append("no effect was shown", .boldYellow)
                }
                line.append(", ")
                if let healed = record.healedAt {
                    line.append("healed and verified \(report.clock.offset(healed)) after", .green)
                } else {
                    line.append(record.stage.words, record.stage == .healFailed ? .boldRed : .yellow)
                }
                let why = [record.evidence, record.failure].filter { !$0.isEmpty }
                return [line] + why.map { StyledText("    \($0)", .dim) }
            }
    }

    private static func cleanUp(_ report: RunReport) -> [StyledText] {
        let colour: StyledText.Style =
            switch report.cleanUp {
            case .untouched, .clean: .green
            case .unverified: .boldYellow
            case .leftovers: .boldRed
            }
        var lines = ["", title("clean-up") + StyledText("  \(report.cleanUpSentence)", colour)]
        for leftover in report.verdict.leftovers {
            lines.append(StyledText("  - \(leftover.kind) on \(leftover.target): \(leftover.description)"))
            lines += leftover.commands.map { StyledText("      \($0)", .bold) }
        }
        return lines
    }

    private static func list(_ name: String, _ entries: [String]) -> [StyledText] {
        entries.isEmpty ? [] : ["", title(name)] + entries.map { StyledText("  - \($0)") }
    }

    private static func title(_ text: String) -> StyledText { StyledText("  \(text)", .bold) }

    private static func style(_ verdict: Verdict) -> StyledText.Style {
        switch verdict {
        case .pass: .boldGreen
        case .fail: .boldRed
        case .inconclusive: .boldYellow
        }
    }
}
