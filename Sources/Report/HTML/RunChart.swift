internal import Basics
internal import Contracts

/// The run as a plan shows it: its phases, each fault on each target, the marks of the failover, and notes.
enum RunChart {
    private static let lane = 26
    private static let bar = 18

    static func chart(_ report: RunReport, _ axis: TimeAxis) -> Chart {
        var rows: [(name: String, draw: (Int, inout Chart, inout [String]) -> Void)] = []
        rows.append(("phases", { phases(report, axis, $0, &$1, &$2) }))
        for fault in report.verdict.faults.prefix(12) {
            rows.append(
                ("\(name(fault.step)) · \(fault.target)", { RunChart.fault(fault, report, axis, $0, &$1, &$2) }))
        }
        for (name, marks) in marks(report) {
            rows.append((name, { RunChart.marks(marks, report, axis, $0, &$1, &$2) }))
        }
        let notes = report.timeline.filter { $0.topic == .note || $0.topic == .steadyState || $0.topic == .prober }
        if !notes.isEmpty { rows.append(("notes", { RunChart.notes(notes, axis, $0, &$1, &$2) })) }
        var chart = Chart(
            id: "run", title: "The run", summary: summary(report), height: rows.count * lane)
        chart.labels = rows.enumerated().map { ($0.element.name, $0.offset * lane + lane / 2) }
        var shapes: [String] = []
        for (index, row) in rows.enumerated() { row.draw(index * lane + (lane - bar) / 2, &chart, &shapes) }
        chart.drawing = shapes.joined(separator: "\n")
        if report.clock.startsAtFault { chart.keys = [.init(style: "swatch band", name: "fault in effect")] }
        if !report.history.stalls.isEmpty {
            chart.keys.append(.init(style: "swatch stall", name: "the prober itself stood still"))
        }
        return chart
    }

    /// A step of a fault plan carries the plan's name before a colon; on the lanes there is room for its own only.
    private static func name(_ step: Label) -> String {
        step.text.split(separator: ":").last.map(String.init) ?? step.text
    }

    private static func summary(_ report: RunReport) -> String {
        let zero = report.clock.startsAtFault ? "the first fault's effect" : "the start of the run"
        return "\(report.clock.duration) in all; zero of every time axis is \(zero), "
            + "\(report.clock.date(report.clock.origin).iso8601)."
    }

    private static func phases(
        _ report: RunReport, _ axis: TimeAxis, _ top: Int, _ chart: inout Chart, _ shapes: inout [String]
    ) {
        let phases = report.history.phases
        for (index, item) in phases.enumerated() {
            let end = index + 1 < phases.count ? phases[index + 1].at : report.clock.end
            let (from, to) = (axis.x(item.at), axis.x(end))
            let length = Figure.text((end - item.at).seconds, unit: "s")
            let tip = "\(item.phase.rawValue)\n\(report.clock.offset(item.at)), \(length)"
            shapes.append(
                Shape.rectangle(
                    "phase p\(index % 2)", from: from, to: to, top: Double(top), height: Double(bar), tip: tip))
            chart.captions.append(
                .init(from: from, to: to, top: top, height: bar, text: item.phase.rawValue, style: "in"))
        }
    }

    private static func fault(
        _ fault: FaultRecord, _ report: RunReport, _ axis: TimeAxis, _ top: Int, _ chart: inout Chart,
        _ shapes: inout [String]
    ) {
        guard let began = fault.injectedAt ?? fault.effectiveAt?.lower else { return }
        let end = fault.healedAt ?? report.clock.end
        if let effect = fault.effectiveAt?.upper {
            let heal = fault.healedAt.map { "healed and verified \(report.clock.offset($0))" } ?? fault.stage.words
            shapes.append(
                Shape.rectangle(
                    "injecting", from: axis.x(began), to: axis.x(effect), top: Double(top) + 6, height: Double(bar) - 12
                ))
            shapes.append(
                Shape.rectangle(
                    "fault", from: axis.x(effect), to: axis.x(end), top: Double(top), height: Double(bar),
                    tip: "\(fault.kind) on \(fault.target)\neffective \(report.clock.offset(effect))\n\(heal)"))
            chart.captions.append(
                .init(
                    from: axis.x(effect), to: axis.x(end), top: top, height: bar, text: fault.kind.text,
                    style: "in fault"))
        } else {
            shapes.append(
                Shape.rectangle(
                    "unproven", from: axis.x(began), to: axis.x(end), top: Double(top), height: Double(bar),
                    tip: "\(fault.kind) on \(fault.target)\nno effect was shown: \(fault.failure)"))
            chart.captions.append(
                .init(
                    from: axis.x(began), to: axis.x(end), top: top, height: bar,
                    text: "\(fault.kind): no effect shown", style: "in"))
        }
    }

    private typealias Marks = [Waterfall.Mark]

    /// Marks are drawn only where one fault makes clear what they count from.
    private static func marks(_ report: RunReport) -> [(String, Marks)] {
        guard report.steps.count == 1 else { return [] }
        return report.verdict.criteria.compactMap { result in
            let marks = Waterfall(result).marks
            return marks.isEmpty ? nil : ("\(result.displayName) marks", marks)
        }
    }

    private static func marks(
        _ marks: Marks, _ report: RunReport, _ axis: TimeAxis, _ top: Int, _ chart: inout Chart,
        _ shapes: inout [String]
    ) {
        var last = -Double.infinity
        let positions = marks.map { axis.x(report.clock.origin + Span(seconds: min(max($0.at, 0), 1e8))) }
        for (index, mark) in marks.enumerated() {
            let x = positions[index]
            let tip = "\(mark.name) \(Figure.offset(Span(seconds: min(max(mark.at, 0), 1e8))))\n\(mark.detail)"
            shapes.append(Shape.line("mark", at: x, top: Double(top), height: Double(bar), tip: tip))
            // Names that would lie on each other are left to the tooltip.
            let room = axis.width / 32
            let next = positions.dropFirst(index + 1).first { $0 > x } ?? .infinity
            if x - last > room, next - x > room {
                chart.captions.append(.init(from: x, to: nil, top: top, height: bar, text: mark.name, style: "at"))
                last = x
            }
        }
    }

    private static func notes(
        _ notes: [TimelineEntry], _ axis: TimeAxis, _ top: Int, _ chart: inout Chart, _ shapes: inout [String]
    ) {
        for note in notes.prefix(300) {
            shapes.append(
                Shape.line(
                    "note \(note.level.rawValue)", at: axis.x(note.at), top: Double(top) + 2, height: Double(bar) - 4,
                    tip: "\(note.source)\n\(note.message)"))
        }
    }

    /// What lies behind every chart: faults in effect, and times in which the prober itself stood still.
    static func bands(_ report: RunReport, _ axis: TimeAxis) -> String {
        var shapes: [String] = []
        var merged: [(from: Double, to: Double)] = []
        let faults = report.verdict.faults.compactMap { fault in
            fault.effectiveAt.map { (axis.x($0.upper), axis.x(fault.healedAt ?? report.clock.end)) }
        }
        // Faults in effect at the same time are one band: layers would darken until nothing can be read on them.
        for (from, to) in faults.sorted(by: { $0 < $1 }) {
            if let last = merged.last, from <= last.to {
                merged[merged.count - 1].to = max(last.to, to)
            } else {
                merged.append((from, to))
            }
        }
        for (from, to) in merged {
            shapes.append(
                "<rect class=\"band\" x=\"\(coordinate(from))\" y=\"0\" width=\"\(coordinate(max(0, to - from)))\" height=\"HEIGHT\"/>"
            )
        }
        for (from, _) in faults.prefix(24) {
            shapes.append("<path class=\"effect\" d=\"M\(coordinate(from)) 0vHEIGHT\"/>")
        }
        for stall in report.history.stalls.prefix(100) {
            let (from, to) = (axis.x(stall.from), axis.x(stall.to))
            shapes.append(
                "<rect class=\"stall\" x=\"\(coordinate(from))\" y=\"0\" width=\"\(coordinate(max(0, to - from)))\" height=\"HEIGHT\""
                    + " data-tip=\"the prober itself stood still&#10;\(html(Figure.text((stall.to - stall.from).seconds, unit: "s")))\"/>"
            )
        }
        return shapes.joined()
    }
}
