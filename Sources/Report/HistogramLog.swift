internal import Basics
internal import Contracts

/// `<probe>.hlog`: latencies from the due time as an HdrHistogram log (format 1.3), for the plotters that people have.
///
/// One line per second and path, tagged with the path; failures are in it at the time they were known, because a log of
/// successes alone hides an outage. Merging the lines gives the percentiles of the whole run.
package enum HistogramLog {
    /// The file of each probe that has operations: name and text.
    package static func files(_ report: RunReport) -> [(name: String, text: String)] {
        var probes: [Label] = []
        for path in report.paths where !probes.contains(path.probe) { probes.append(path.probe) }
        return probes.prefix(32).map { (fileName($0, among: probes), text($0, report)) }
    }

    /// Probe names are free text in the file; a file's name is not.
    private static func fileName(_ probe: Label, among probes: [Label]) -> String {
        let safe = probe.text.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" }
        let number = probes.prefix { $0 != probe }.count
        return String(safe) == probe.text && !safe.isEmpty ? "\(probe).hlog" : "\(String(safe))-\(number + 1).hlog"
    }

    private static func text(_ probe: Label, _ report: RunReport) -> String {
        let clock = report.clock
        // Half an hour of seconds; longer runs get longer intervals, not larger files.
        let interval = max(1, (clock.duration.seconds / 1_800).rounded(.up))
        let start = decimal(Double(clock.date(clock.start).nanoseconds) / 1e9, places: 3)
        var lines = [
            "#[Latency of \(StyledText(probe.text).rendered(width: 200, colour: false)) from the due time, failures included]",
            "#[Histogram log format version 1.3]",
            "#[StartTime: \(start) (seconds since epoch), \(clock.date(clock.start).iso8601)]",
            "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
        ]
        for path in report.paths where path.probe == probe { append(path, report, interval, to: &lines) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func append(
        _ path: PathStatistics, _ report: RunReport, _ interval: Double, to lines: inout [String]
    ) {
        let safe = path.path.text.map { $0 == "," || $0 == " " || $0.isNewline ? "-" : $0 }
        let tag = safe.isEmpty ? "" : "Tag=\(String(safe)),"
        var histogram = HdrHistogram()
        var current = 0
        func flush(_ histogram: HdrHistogram) {
            guard histogram.total > 0 else { return }
            let from = decimal(Double(current) * interval, places: 3)
            let maximum = decimal(Double(histogram.maximum) / 1e6, places: 3)
            lines.append("\(tag)\(from),\(decimal(interval, places: 3)),\(maximum),\(histogram.encoded)")
        }
        for index in path.order {
            let operation = report.history.operations[Int(index)]
            let slot = max(0, Int(report.clock.seconds(operation.due) / interval))
            if slot != current {
                flush(histogram)
                histogram = HdrHistogram()
                current = slot
            }
            histogram.add(operation.latency.nanoseconds)
        }
        flush(histogram)
    }
}
