internal import Basics
internal import Contracts

/// Lanes per node on the true time axis: who said what it was, who acknowledged writes, and which of those are lost.
enum LaneCharts {
    private static let lane = 26
    private static let bar = 18
    /// Columns in which acknowledgements are drawn; a tick is as wide as one.
    private static let columns = 2_000

    // MARK: Roles

    static func roles(_ probe: Label, _ report: RunReport, _ axis: TimeAxis) -> Chart? {
        let lanes = report.roles.filter { $0.probe == probe }
        guard !lanes.isEmpty else { return nil }
        let duals = RoleLane.dualPrimary(lanes)
        var chart = Chart(
            id: "roles-\(probe)", title: "What each node said it was (\(probe))",
            summary: summary(lanes, duals)
                + (hasGenerations(lanes) ? " In brackets: PostgreSQL's timeline, a Sentinel's epoch." : ""),
            height: lanes.count * lane)
        chart.labels = lanes.enumerated().map { ($0.element.node.text, $0.offset * lane + lane / 2) }
        var shapes: [String] = []
        for (row, item) in lanes.enumerated() {
            let top = row * lane + (lane - bar) / 2
            for stretch in item.stretches.prefix(400) {
                let (from, to) = (axis.x(stretch.from), axis.x(stretch.to))
                shapes.append(
                    Shape.rectangle(
                        "state \(style(stretch.state))", from: from, to: to, top: Double(top), height: Double(bar),
                        tip: tip(item.node, stretch, report.clock)))
                let generation = stretch.generation.map { " (\($0))" } ?? ""
                chart.captions.append(
                    .init(
                        from: from, to: to, top: top, height: bar, text: stretch.state.text + generation,
                        style: "in \(style(stretch.state))"))
            }
        }
        shapes += overlaps(duals, axis, height: chart.height)
        for overlap in duals.prefix(50) {
            for (row, item) in lanes.enumerated() where item.node == overlap.first || item.node == overlap.second {
                shapes.append(
                    Shape.rectangle(
                        "both", from: axis.x(overlap.interval.from), to: axis.x(overlap.interval.to),
                        top: Double(row * lane + (lane - bar) / 2), height: Double(bar), tip: tip(overlap)))
            }
        }
        chart.drawing = shapes.joined(separator: "\n")
        chart.keys = legend(lanes)
        if !duals.isEmpty { chart.keys.append(.init(style: "swatch overlap", name: "two primaries at once")) }
        return chart
    }

    /// The states that occurred, by colour.
    private static func legend(_ lanes: [RoleLane]) -> [Chart.Key] {
        var names: [String: [String]] = [:]
        for stretch in lanes.flatMap(\.stretches) {
            let (style, name) = (style(stretch.state), stretch.state.text)
            if names[style]?.contains(name) != true, names[style, default: []].count < 4 {
                names[style, default: []].append(name)
            }
        }
        return ["primary", "replica", "alive", "other", "unreachable"].compactMap { style in
            names[style].map { Chart.Key(style: "swatch \(style)", name: $0.sorted().joined(separator: ", ")) }
        }
    }

    private static func hasGenerations(_ lanes: [RoleLane]) -> Bool {
        lanes.contains { $0.stretches.contains { $0.generation != nil } }
    }

    private static func summary(_ lanes: [RoleLane], _ duals: [Overlap]) -> String {
        guard lanes.contains(where: { $0.stretches.contains { $0.state == StateSample.primary } }) else {
            return "Each change is in the timeline below."
        }
        guard let longest = duals.max(by: { $0.length < $1.length }) else {
            return "At no time did two nodes say that they are primary."
        }
        let total = duals.reduce(Span.zero) { $0 + $1.length }
        return "\(longest.first) and \(longest.second) both said that they are primary, for "
            + "\(Figure.text(total.seconds, unit: "s")) in all. A claim is a suspicion; who acknowledged writes is the proof."
    }

    private static func tip(_ node: Label, _ stretch: RoleLane.Stretch, _ clock: RunClock) -> String {
        let generation = stretch.generation.map { ", generation \($0)" } ?? ""
        let detail = stretch.detail.isEmpty ? "" : "\n\(stretch.detail)"
        return
            "\(node): \(stretch.state)\(generation)\n\(clock.offset(stretch.from)) to \(clock.offset(stretch.to))\(detail)"
    }

    private static func style(_ state: Label) -> String {
        switch state {
        case StateSample.primary: "primary"
        case StateSample.replica: "replica"
        case StateSample.unreachable: "unreachable"
        case "running", "healthy", "up", "ok": "alive"
        default: "other"
        }
    }

    private static func overlaps(_ overlaps: [Overlap], _ axis: TimeAxis, height: Int) -> [String] {
        overlaps.prefix(50).map { overlap in
            Shape.rectangle(
                "overlap", from: axis.x(overlap.interval.from), to: axis.x(overlap.interval.to), top: 0,
                height: Double(height), tip: tip(overlap))
        }
    }

    private static func tip(_ overlap: Overlap) -> String {
        "\(overlap.first) and \(overlap.second) at once\n\(Figure.text(overlap.length.seconds, unit: "s"))"
    }

    // MARK: Acknowledgements

    static func acknowledgements(_ probe: Label, _ report: RunReport, _ axis: TimeAxis) -> Chart? {
        let lanes = report.writes.filter { $0.probe == probe }
        guard !lanes.isEmpty else { return nil }
        let overlaps = WriteLane.overlaps(lanes)
        var chart = Chart(
            id: "acks-\(probe)", title: "Who acknowledged writes (\(probe))",
            summary: summary(lanes, overlaps), height: lanes.count * lane)
        chart.labels = lanes.enumerated().map { (name($0.element.node), $0.offset * lane + lane / 2) }
        var shapes: [String] = []
        for (row, item) in lanes.enumerated() {
            let isSet = occupied(item.node, probe, report.history, axis)
            let top = Double(row * lane + (lane - bar) / 2)
            shapes.append(Shape.columns("acks", isSet, width: axis.width, top: top, height: Double(bar)))
            // Drawn red: what this node acknowledged while another one did.
            var both = [Bool](repeating: false, count: columns)
            for overlap in overlaps where overlap.first == item.node || overlap.second == item.node {
                let last = axis.column(overlap.interval.to, of: columns)
                for column in axis.column(overlap.interval.from, of: columns)...last { both[column] = isSet[column] }
            }
            shapes.append(Shape.columns("both", both, width: axis.width, top: top, height: Double(bar)))
        }
        shapes = LaneCharts.overlaps(overlaps, axis, height: chart.height) + shapes
        chart.drawing = shapes.joined(separator: "\n")
        chart.keys = [.init(style: "swatch acks", name: "writes acknowledged")]
        if !overlaps.isEmpty { chart.keys.append(.init(style: "swatch overlap", name: "by two nodes at once")) }
        return chart
    }

    private static func name(_ node: Label) -> String { node.isEmpty ? "unknown node" : node.text }

    private static func summary(_ lanes: [WriteLane], _ overlaps: [Overlap]) -> String {
        let counts = lanes.map { "\(name($0.node)) \(Figure.count($0.acknowledged))" }.joined(separator: ", ")
        guard let longest = overlaps.max(by: { $0.length < $1.length }) else {
            return "Acknowledged: \(counts). No two nodes acknowledged writes at the same time."
        }
        let total = overlaps.reduce(Span.zero) { $0 + $1.length }
        return "Acknowledged: \(counts). \(longest.first) and \(longest.second) both acknowledged writes for "
            + "\(Figure.text(total.seconds, unit: "s")): two primaries took writes."
    }

    private static func occupied(
        _ node: Label, _ probe: Label, _ history: History, _ axis: TimeAxis
    ) -> [Bool] {
        var isSet = [Bool](repeating: false, count: columns)
        for operation in history.operations
        where operation.node == node && operation.probe == probe && operation.action == .write
            && operation.outcome == .ok
        {
            isSet[axis.column(operation.end, of: columns)] = true
        }
        return isSet
    }

    // MARK: Losses

    static func losses(_ probe: Label, _ report: RunReport, _ axis: TimeAxis) -> Chart? {
        let lanes = report.writes.filter { $0.probe == probe }
        guard !lanes.isEmpty, let ledger = Ledger.all(report.history)[probe] else { return nil }
        let total = lanes.reduce(0) { $0 + $1.lostCount }
        let acknowledged = lanes.reduce(0) { $0 + $1.acknowledged }
        let judge = "read back from \(ledger.readBack.node) at \(report.clock.offset(ledger.readBack.at))"
        var chart = Chart(
            id: "loss-\(probe)", title: "Acknowledged writes that are gone (\(probe))",
            summary: total == 0
                ? "All \(Figure.count(acknowledged)) acknowledged writes were there, \(judge)."
                : "\(Figure.count(total)) of \(Figure.count(acknowledged)) acknowledged writes were missing, \(judge).",
            height: lanes.count * lane)
        chart.labels = lanes.enumerated().map { (name($0.element.node), $0.offset * lane + lane / 2) }
        var shapes: [String] = []
        for (row, item) in lanes.enumerated() {
            let isSet = occupied(item.node, probe, report.history, axis)
            shapes.append(
                Shape.columns(
                    "kept", isSet, width: axis.width, top: Double(row * lane + lane / 2) - 2, height: 4))
            shapes += lost(item, row, report, axis)
            guard let last = item.lost.map({ report.history.operations[Int($0)].end }).max() else { continue }
            let text = "\(Figure.count(item.lostCount)) lost"
            chart.captions.append(
                .init(from: axis.x(last), to: nil, top: row * lane, height: lane, text: text, style: "lost"))
        }
        chart.drawing = shapes.joined(separator: "\n")
        chart.keys = [.init(style: "swatch kept", name: "still there"), .init(style: "swatch lost", name: "lost")]
        return chart
    }

    /// A tick per lost write, or per column that holds some when there are many.
    private static func lost(_ item: WriteLane, _ row: Int, _ report: RunReport, _ axis: TimeAxis) -> [String] {
        var byColumn: [Int: [Operation]] = [:]
        for index in item.lost {
            let operation = report.history.operations[Int(index)]
            byColumn[axis.column(operation.end, of: columns), default: []].append(operation)
        }
        return byColumn.sorted { $0.key < $1.key }.prefix(1_000).compactMap { _, writes in
            guard let first = writes.first else { return nil }
            let more = writes.count > 1 ? " and \(writes.count - 1) more" : ""
            return Shape.line(
                "lost", at: axis.x(first.end), top: Double(row * lane) + 2, height: Double(lane) - 4,
                tip:
                    "lost: write \(first.sequence)\(more)\nacknowledged by \(name(item.node)) at \(report.clock.offset(first.end))"
            )
        }
    }
}
