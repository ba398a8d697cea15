internal import Basics
internal import Contracts
internal import Experiment

/// The head of the report: the verdict and why, then a row per criterion with value, bounds, limit and samples.
enum VerdictSection {
    static func head(_ report: RunReport) -> String {
        let (verdict, run) = (report.verdict, report.verdict.run)
        var facts = [
            ("started", report.clock.date(report.clock.start).iso8601), ("took", report.clock.duration.description),
            ("run", run.run), ("experiment", run.file), ("seed", String(run.seed)), ("squall", run.toolVersion),
        ]
        if let runbook = run.runbook { facts.append(("runbook", runbook)) }
        if !run.tags.isEmpty { facts.append(("tags", run.tags.joined(separator: ", "))) }
        let list = facts.filter { !$0.1.isEmpty }.map { "<div><dt>\($0.0)</dt><dd>\(html($0.1))</dd></div>" }.joined()
        let description = run.description.isEmpty ? "" : "<p class=\"soft\">\(html(run.description))</p>"
        return """
            <header class="head \(verdict.verdict.rawValue)">
            <p class="word" id="verdict">\(verdict.verdict.word)<small>exit code \(verdict.exitCode)</small></p>
            <div><h1>\(html(run.title))</h1><p class="reason" id="reason">\(html(verdict.reason))</p>\(description)</div>
            <dl class="facts">\(list)</dl>
            </header>

            """
    }

    static func criteria(_ report: RunReport) -> String {
        let results = report.verdict.criteria
        guard !results.isEmpty || !report.unjudged.isEmpty else {
            return "<h2>Objectives</h2><p>No criterion was judged.</p>\n"
        }
        let header = ["", "objective", "measured", "limit", "", "samples"].enumerated().map {
            "<th scope=\"col\"\($0.offset == 5 ? " class=\"num\"" : $0.offset == 4 ? " class=\"against\"" : "")>\($0.element)</th>"
        }
        let unjudged = report.unjudged.map {
            "<tbody class=\"inconclusive\"><tr><td><b class=\"pill\">not judged</b></td><td class=\"name\" colspan=\"5\">\(html($0))</td></tr>"
                + "<tr><td></td><td colspan=\"5\">\(html(report.verdict.reason))</td></tr></tbody>"
        }
        return
            "<h2>Objectives</h2><div class=\"scroll\"><table class=\"criteria\"><thead><tr>\(header.joined())</tr></thead>\n"
            + (results.map(row) + unjudged).joined(separator: "\n") + "\n</table></div>\n"
    }

    private static func row(_ result: CriterionResult) -> String {
        let bounds = result.boundsText.isEmpty ? "" : "<small>\(html(result.boundsText))</small>"
        let probe = result.probe.isEmpty ? "" : "<small>\(html(result.probe))</small>"
        return """
            <tbody class="\(result.verdict.rawValue)" data-criterion="\(html(result.name))">
            <tr><td><b class="pill">\(result.verdict.rawValue)</b></td><td class="name">\(html(result.displayName))\(probe)</td>\
            <td class="measured">\(html(result.measuredText))\(bounds)</td><td class="limit">\(html(typographic(result.limit)))</td>\
            <td class="against">\(gauge(result))</td><td class="num">\(result.samples)</td></tr>
            <tr><td></td><td colspan="5">\(html(result.reason))\(details(result))</td></tr>
            </tbody>
            """
    }

    private static func typographic(_ limit: String) -> String {
        limit.replacing("<=", with: "≤").replacing(">=", with: "≥")
    }

    private static func details(_ result: CriterionResult) -> String {
        var output = ""
        if !result.exceptions.isEmpty {
            let items = result.exceptions.map { "<li>\(html($0))</li>" }.joined()
            let count = result.exceptions.count
            output +=
                "<details class=\"print\"\(count <= 5 ? " open" : "")><summary>\(count) exception\(count == 1 ? "" : "s")</summary>"
                + "<ul class=\"plain\">\(items)</ul></details>"
        }
        if !result.parts.isEmpty {
            let rows = result.parts.map {
                [html($0.name), html(Figure.text($0.value, unit: $0.unit)), html($0.detail)]
            }
            output +=
                "<details><summary>\(result.parts.count) figures behind it</summary>"
                + table("parts", ["figure", "value", "what it is"], rows, numeric: [1]) + "</details>"
        }
        return output
    }

    /// The value with its bounds against the limit, on a scale from zero; empty where the limit is not one number.
    private static func gauge(_ result: CriterionResult) -> String {
        guard let comparison = Comparison(parsing: condition(result.limit)),
            let limit = magnitude(comparison.bound, result.unit),
            let value = result.measured ?? result.upper ?? result.lower, limit >= 0, value >= 0
        else { return "" }
        let (lower, upper) = (result.lower ?? value, result.upper ?? value)
        var top = max(limit * 1.25, value * 1.08, min(upper, value * 3) * 1.05)
        if result.unit == "%" { top = 100 }
        guard top > 0, top.isFinite else { return "" }
        func x(_ value: Double) -> String { coordinate(min(1, max(0, value / top)) * 168 + 1) }
        let middle = "M\(x(lower)) 11H\(x(upper))M\(x(lower)) 7v8M\(x(upper)) 7v8"
        let text = "\(result.measuredText) against \(result.limit)"
        return "<svg class=\"gauge\" viewBox=\"0 0 170 22\" role=\"img\" aria-label=\"\(html(text))\">"
            + "<rect class=\"track\" x=\"1\" y=\"8\" width=\"168\" height=\"6\" rx=\"3\"/>"
            + "<rect class=\"value\" x=\"1\" y=\"8\" width=\"\(coordinate(min(1, value / top) * 168))\" height=\"6\" rx=\"3\"/>"
            + (lower < upper ? "<path class=\"bound\" d=\"\(middle)\"/>" : "")
            + "<path class=\"limit\" d=\"M\(x(limit)) 1v20\"/></svg>"
    }

    /// Without the window it is judged over: `>= 70% over 2m` is drawn as `>= 70%`.
    private static func condition(_ limit: String) -> String {
        limit.firstRange(of: " over ").map { String(limit[..<$0.lowerBound]) } ?? limit
    }

    /// The limit in the criterion's unit; nil when they do not measure the same.
    private static func magnitude(_ quantity: Quantity, _ unit: String) -> Double? {
        switch (quantity, unit) {
        case (.span(let span), "s"): span.seconds
        case (.span(let span), "ms"): span.milliseconds
        case (.share(let share), "%"): share.fraction * 100
        case (.number(let number), _) where unit != "s" && unit != "ms" && unit != "%": number
        case (.number, _), (.span, _), (.share, _), (.bytes, _), (.rate, _), (.text, _): nil
        }
    }

    /// Who used up the recovery time: the phases between the marks of the failover.
    static func waterfalls(_ report: RunReport) -> String {
        report.verdict.criteria.map { result in
            let waterfall = Waterfall(result)
            let total = waterfall.scale
            guard total > 0 else { return "" }
            let rows = waterfall.bars.map { bar in
                let left = decimal(bar.start / total * 100, places: 3)
                let width = decimal((min(total, bar.end) - bar.start) / total * 100, places: 3)
                let beyond = bar.end > total ? ", beyond this scale" : ""
                return
                    "<div class=\"bar-row\"><span>\(html(bar.name))</span><small>\(html(bar.detail + beyond))</small><b>"
                    + "\(html(Figure.text(bar.value, unit: "s")))</b><div class=\"track\">"
                    + "<i class=\"\(bar.isBackground ? "background" : "")\" style=\"left:\(left)%;width:\(width)%\"></i></div></div>"
            }
            let marks = waterfall.marks.map {
                [html($0.name), html(Figure.text($0.at, unit: "s")), html($0.detail)]
            }
            return """
                <h2>\(html(result.displayName)): where the time went</h2>
                \(rows.joined(separator: "\n"))
                <div class="bar-row scale"><span><em>0 s, the fault has effect</em><em>\(html(Figure.text(total, unit: "s")))</em></span></div>
                <details><summary>the marks t0 to t8</summary>\(table("parts", ["mark", "after the fault", "what it is"], marks, numeric: [1]))</details>

                """
        }.joined()
    }
}
