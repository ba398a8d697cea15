internal import Basics
internal import Contracts

/// The tables of the report: faults with their proof, client paths, steady state, event log, environment, clean-up.
enum EvidenceSections {
    static func faults(_ report: RunReport) -> String {
        guard !report.verdict.faults.isEmpty else { return "<h2>What was injected</h2><p>No fault was injected.</p>\n" }
        let clock = report.clock
        let rows = report.verdict.faults.map { record in
            let effect: String
            if let range = record.effectiveAt {
                effect =
                    "<b class=\"good\">\(clock.offset(range.upper))</b> <small>known within \(html(Figure.latency(range.width)))</small>"
                    + (record.evidence.isEmpty ? "" : "<br>\(html(record.evidence))")
            } else {
                effect =
                    "<b class=\"warn\">not shown</b>" + (record.failure.isEmpty ? "" : "<br>\(html(record.failure))")
            }
            let healed =
                record.healedAt.map { "<b class=\"good\">\(clock.offset($0))</b><br>clean state read back" }
                ?? "<b class=\"\(record.stage == .healFailed ? "bad" : "warn")\">\(html(record.stage.words))</b>"
                + (record.stage == .healFailed ? "<br>\(html(record.failure))" : "")
            return [
                "<b>\(html(record.step.text))</b><br><code>\(html(record.kind.text))</code>", html(record.target.text),
                record.injectedAt.map { html(clock.offset($0)) } ?? "never", effect, healed,
            ]
        }
        return "<h2>What was injected, and the proof</h2>"
            + table("faults", ["fault", "target", "injected", "effect", "healed"], rows)
    }

    static func paths(_ report: RunReport) -> String {
        guard !report.paths.isEmpty else { return "<h2>What clients saw</h2><p>No operation was observed.</p>\n" }
        let direct = report.paths.filter(\.isDirect)
        var output = "<h2>What clients saw</h2>" + paths(report.clientPaths, report)
        output +=
            "<p class=\"soft\">Latency counts from the due time and includes failures at the time they were known. "
            + "Unknown: the answer was lost, the write may stand.</p>\n"
        if !direct.isEmpty {
            output +=
                "<h3>Nodes addressed directly</h3><p class=\"soft\">No client goes this way: a replica refuses writes here, "
                + "as it must. It shows which node takes writes, and counts in no share above.</p>"
                + paths(direct, report)
        }
        return output
    }

    private static func paths(_ paths: [PathStatistics], _ report: RunReport) -> String {
        let rows = paths.map { path -> [String] in
            let gap = path.gaps.first.map { gap in
                let length = gap.to.map { Figure.text(($0 - gap.from).seconds, unit: "s") } ?? "until the end"
                return "\(html(length))<br><small>from \(html(report.clock.offset(gap.from)))</small>"
            }
            let unsent = path.unsent > 0 ? "<br><small>\(Figure.count(path.unsent)) not sent</small>" : ""
            return [
                "<b>\(html(path.probe.text))</b> \(html(path.path.text))", Figure.count(path.due),
                Figure.count(path.ok),
                Figure.count(path.failed) + unsent, Figure.count(path.unknown), html(Figure.latency(path.median)),
                html(Figure.latency(path.p99)), html(Figure.latency(path.worst)), gap ?? "none",
            ]
        }
        let header = [
            "probe, path", "due", "ok", "failed", "unknown", "median", "p99", "longest", "longest time without success",
        ]
        return table("paths", header, rows, numeric: [1, 2, 3, 4, 5, 6, 7, 8])
    }

    static func steadyState(_ report: RunReport) -> String {
        guard !report.history.steadyStates.isEmpty else {
            return "<h2>Steady state</h2><p>It was not judged in this run.</p>\n"
        }
        let rows = report.history.steadyStates.map { item in
            [
                item.phase == .baseline
                    ? "before the fault" : item.phase == .settling ? "after the heal" : html(item.phase.rawValue),
                item.held ? "<b class=\"good\">held</b>" : "<b class=\"warn\">did not hold</b>",
                html(report.clock.offset(item.at)), html(item.detail),
            ]
        }
        return "<h2>Steady state</h2>" + table("steady", ["when", "verdict", "judged at", "what was asked"], rows)
    }

    static func timeline(_ report: RunReport, _ axis: TimeAxis) -> String {
        let topics = TimelineEntry.Topic.allCases.filter { topic in report.timeline.contains { $0.topic == topic } }
        let options = topics.map { "<option>\(html($0.rawValue))</option>" }.joined()
        let rows = report.timeline.map { entry in
            "<tr class=\"\(entry.level.rawValue)\" data-topic=\"\(html(entry.topic.rawValue))\" data-x=\"\(axis.whole(entry.at))\">"
                + "<td class=\"num\">\(html(report.clock.offset(entry.at)))</td>"
                + "<td class=\"soft\">\(report.clock.date(entry.at).iso8601.dropFirst(11).dropLast())</td>"
                + "<td>\(html(entry.source))</td><td>\(html(entry.message))</td></tr>"
        }
        return """
            <h2>Timeline</h2>
            <p class="filter"><label>Filter <input id="filter" type="search" placeholder="words, for example pg-1 primary" size="30"></label>
            <select id="topic" aria-label="Topic"><option value="">everything</option><option value="!">warnings and errors</option>\(options)</select>
            <span id="shown" class="soft"></span></p>
            <div class="scroll"><table class="events"><thead><tr><th class="num">since the \(report.clock.startsAtFault ? "fault" : "start")</th><th>UTC</th><th>source</th><th>what happened</th></tr></thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div>

            """
    }

    static func untested(_ report: RunReport) -> String {
        var items = report.verdict.untested.map(html)
        let unsent = report.paths.reduce(0) { $0 + $1.unsent }
        if unsent > 0 {
            items.append(
                "\(Figure.count(unsent)) arrivals were due and could not be sent; they count as failed, what the system "
                    + "would have answered is not known")
        }
        let censored = report.history.measurements.count { $0.isCensored }
        if censored > 0 {
            items.append("\(Figure.count(censored)) measurements are lower bounds: the node did not answer")
        }
        let stalled = report.history.stalls.reduce(Span.zero) { $0 + ($1.to - $1.from) }
        if !report.history.stalls.isEmpty {
            items.append(
                "the prober itself stood still \(report.history.stalls.count) time(s), "
                    + "\(html(Figure.text(stalled.seconds, unit: "s"))) in all; that time says nothing about the system"
            )
        }
        items += report.unjudged.map { "not judged: \(html($0))" }
        let failed = report.history.readBacks.filter { !$0.failure.isEmpty }
        items += failed.map { "could not read back \(html($0.node.text)): \(html($0.failure))" }
        let list =
            items.isEmpty
            ? "<p>Nothing was left out that this tool knows of.</p>"
            : "<ul class=\"plain\"><li>\(items.joined(separator: "</li><li>"))</li></ul>"
        return "<h2>What was not tested</h2>\(list)\n"
    }

    static func cleanUp(_ report: RunReport) -> String {
        let style =
            switch report.cleanUp {
            case .untouched, .clean: "pass"
            case .unverified: "inconclusive"
            case .leftovers: "fail"
            }
        var output = "<h2>Clean-up</h2><div class=\"note-box \(style)\"><b>\(html(report.cleanUpSentence))</b>"
        for leftover in report.verdict.leftovers {
            output += "<p>\(html(leftover.kind)) on \(html(leftover.target)): \(html(leftover.description))</p>"
            if !leftover.commands.isEmpty { output += "<pre>\(html(leftover.commands.joined(separator: "\n")))</pre>" }
        }
        let healed = report.verdict.faults.filter { $0.healedAt != nil }
        if !healed.isEmpty {
            let items = healed.map {
                "<li>\(html($0.step.text)) on \(html($0.target.text)): healed \(report.clock.offset($0.healedAt ?? report.clock.end)), clean state read back</li>"
            }
            output += "<ul class=\"plain\">\(items.joined())</ul>"
        }
        return output + "</div>\n"
    }

    static func environment(_ report: RunReport) -> String {
        let run = report.verdict.run
        var rows = run.environment.sorted { $0.key < $1.key }.map { [html($0.key), html($0.value)] }
        rows.append(["experiment digest", "<code>\(html(run.experimentDigest))</code>"])
        rows.append(["seed", "<code>\(run.seed)</code>"])
        let criteria = run.criteria.map { "<li><code>\(html($0))</code></li>" }.joined()
        return "<section><h2>Environment</h2>" + table("environment", ["name", "value"], rows)
            + (criteria.isEmpty ? "" : "<p class=\"soft\">Criteria as written:</p><ul class=\"plain\">\(criteria)</ul>")
            + "</section>\n"
    }

    static func files(_ report: RunReport) -> String {
        let run = report.verdict.run
        return """
            <section><h2>Files, and how to check this again</h2>
            <p>Everything on this page is computed from <code>events.ndjson</code>, one line per observation. This makes it anew:</p>
            <pre>squall report runs/\(html(run.run))</pre>
            <ul class="plain"><li><code>events.ndjson</code> the history, append-only</li><li><code>verdict.json</code> the same figures for programs</li>
            <li><code>junit.xml</code> for CI</li><li><code>summary.md</code> for a pull request</li><li><code>*.hlog</code> latencies per second for HdrHistogram's tools</li><li><code>journal</code> every change with its undo</li></ul>
            </section>

            """
    }
}
