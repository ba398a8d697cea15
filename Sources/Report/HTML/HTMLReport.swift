internal import Basics
internal import Contracts

/// `report.html`: the run as one file that needs no network, no server and no script to be read.
///
/// The order is that of a reader's questions: did it pass, why, was the fault real, what did clients see and when, what
/// was not tested, is everything clean again. The content security policy forbids every request, so it cannot phone home.
package enum HTMLReport {
    /// The document.
    package static func text(_ report: RunReport) -> String {
        let axis = TimeAxis(report.clock)
        let zero = coordinate((report.clock.origin - report.clock.start).milliseconds)
        let title = "\(report.verdict.verdict.word) · \(report.verdict.run.title) · Squall"
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline';script-src 'unsafe-inline'">
            <title>\(html(title))</title>
            <style>
            \(HTMLStyle.text)
            </style></head>
            <body\(report.clock.startsAtFault ? "" : " class=\"no-fault\"") data-width="\(coordinate(axis.width))" data-zero="\(zero)"><main>
            \(body(report, axis))
            </main><div id="tip" role="status" hidden></div>
            <script>
            \(HTMLScript.text)
            </script></body></html>

            """
    }

    private static func body(_ report: RunReport, _ axis: TimeAxis) -> String {
        VerdictSection.head(report)
            + VerdictSection.criteria(report)
            + EvidenceSections.faults(report)
            + VerdictSection.waterfalls(report)
            + charts(report, axis)
            + EvidenceSections.paths(report)
            + EvidenceSections.steadyState(report)
            + EvidenceSections.timeline(report, axis)
            + EvidenceSections.untested(report)
            + EvidenceSections.cleanUp(report)
            + "<div class=\"columns\">" + EvidenceSections.environment(report) + EvidenceSections.files(report)
            + "</div>"
    }

    private static func charts(_ report: RunReport, _ axis: TimeAxis) -> String {
        var charts = [RunChart.chart(report, axis)]
        let probes = unique(report.clientPaths.map(\.probe)).prefix(8)
        charts += probes.map { LatencyChart.chart($0, report, axis) }
        charts += probes.map { RateChart.chart($0, report, axis) }
        charts += unique(report.roles.map(\.probe)).prefix(8).compactMap { LaneCharts.roles($0, report, axis) }
        let ledgers = unique(report.writes.map(\.probe)).prefix(4)
        charts += ledgers.compactMap { LaneCharts.acknowledgements($0, report, axis) }
        charts += ledgers.compactMap { LaneCharts.losses($0, report, axis) }
        charts += MeasurementChart.charts(report, axis)
        let bands = RunChart.bands(report, axis)
        return "<h2 id=\"charts\">What happened, on one time axis</h2>\n" + tools(report, axis)
            + charts.map { $0.html(axis, bands: bands) }.joined(separator: "\n")
    }

    private static func unique(_ labels: [Label]) -> [Label] {
        labels.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Buttons for the whole run and for the time around the trouble.
    private static func tools(_ report: RunReport, _ axis: TimeAxis) -> String {
        var buttons = "<button data-a=\"0\" data-b=\"\(coordinate(axis.width))\">Whole run</button>"
        let gaps = report.clientPaths.flatMap(\.gaps)
        if let from = gaps.map(\.from).min() {
            let to = gaps.map { $0.to ?? report.clock.end }.max() ?? report.clock.end
            let margin = Span(nanoseconds: max((to - from).nanoseconds / 6, 500_000_000))
            let (left, right) = (axis.x(from - margin), axis.x(to + margin))
            if right - left < axis.width * 0.9 {
                buttons +=
                    "<button data-a=\"\(coordinate(left))\" data-b=\"\(coordinate(right))\">Around the outage</button>"
            }
        }
        return
            "<div class=\"tools\">\(buttons)<span class=\"soft\">Drag across a chart to zoom, Escape for the whole run.</span></div>\n"
    }
}
