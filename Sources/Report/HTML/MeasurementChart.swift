internal import Basics
internal import Contracts

/// A measured value over time, a line per node; values that are only known to be at least so large are marked.
enum MeasurementChart {
    private static let height = 120
    private static let columns = 700

    /// One chart per probe and metric, at most eight.
    static func charts(_ report: RunReport, _ axis: TimeAxis) -> [Chart] {
        var groups: [(probe: Label, metric: Label, nodes: [Label: Series])] = []
        for measurement in report.history.measurements where measurement.value.isFinite {
            let known = groups.firstIndex { $0.probe == measurement.probe && $0.metric == measurement.metric }
            if known == nil && groups.count == 8 { continue }
            let index = known ?? groups.count
            if known == nil { groups.append((measurement.probe, measurement.metric, [:])) }
            if groups[index].nodes[measurement.node] == nil && groups[index].nodes.count == 12 { continue }
            groups[index].nodes[measurement.node, default: Series(unit: measurement.unit)].add(measurement, axis)
        }
        return groups.map { chart($0.probe, $0.metric, $0.nodes, axis) }
    }

    private struct Series {
        var unit: Measurement.Unit
        /// The worst value of each column: what is drawn once must not hide a peak.
        var worst: [Int: (x: Double, value: Double, isCensored: Bool)] = [:]
        var count = 0
        var censored = 0
        var maximum = 0.0

        init(unit: Measurement.Unit) {
            self.unit = unit
        }

        mutating func add(_ measurement: Measurement, _ axis: TimeAxis) {
            count += 1
            if measurement.isCensored { censored += 1 }
            maximum = max(maximum, measurement.value)
            let column = axis.column(measurement.at, of: columns)
            if let known = worst[column], known.value >= measurement.value { return }
            worst[column] = (axis.x(measurement.at), measurement.value, measurement.isCensored)
        }
    }

    private static func chart(_ probe: Label, _ metric: Label, _ nodes: [Label: Series], _ axis: TimeAxis) -> Chart {
        let maximum = nodes.values.map(\.maximum).max() ?? 0
        let unit = nodes.values.first?.unit ?? .count
        let top = RateChart.ceiling(maximum)
        let censored = nodes.values.reduce(0) { $0 + $1.censored }
        var chart = Chart(
            id: "metric-\(probe)-\(metric)", title: "\(metric) (\(probe))",
            summary:
                "\(Figure.count(nodes.values.reduce(0) { $0 + $1.count })) values, the highest \(text(maximum, unit))"
                + (censored == 0
                    ? "." : "; \(Figure.count(censored)) are lower bounds (the node did not answer), drawn as dots."),
            height: height)
        chart.labels = [(text(top, unit), 0), (text(top / 2, unit), height / 2), (text(0, unit), height)]
        chart.rules = [height / 2]
        var shapes: [String] = []
        for (index, node) in nodes.keys.sorted().enumerated() {
            guard let series = nodes[node] else { continue }
            let name = node.isEmpty ? metric.text : node.text
            chart.keys.append(.init(style: "line n\(index % 6)", name: name))
            shapes += drawing(series, "n\(index % 6)", top)
        }
        chart.drawing = shapes.joined(separator: "\n")
        return chart
    }

    private static func drawing(_ series: Series, _ style: String, _ top: Double) -> [String] {
        var line = ""
        var dots = ""
        var isDown = false
        var last = 0
        for (column, point) in series.worst.sorted(by: { $0.key < $1.key }) {
            let y = coordinate((1 - max(0, point.value) / top) * Double(height) * 10)
            let place = "\(coordinate(point.x)) \(y)"
            // A straight line across a long silence would claim what nobody measured.
            if column - last > columns / 20 { isDown = false }
            last = column
            if point.isCensored {
                dots += "M\(place)h0"
                isDown = false
            } else {
                line += (isDown ? "L" : "M") + place
                isDown = true
            }
        }
        return [
            line.isEmpty ? "" : "<path class=\"line \(style)\" d=\"\(line)\"/>",
            dots.isEmpty ? "" : "<path class=\"points censored \(style)\" d=\"\(dots)\"/>",
        ].filter { !$0.isEmpty }
    }

    private static func text(_ value: Double, _ unit: Measurement.Unit) -> String {
        switch unit {
        case .seconds: Figure.latency(Span(seconds: min(max(value, 0), 9e9)))
        case .bytes: ByteCount(bytes: Int64(min(max(value, 0), 9e18))).description
        case .count: decimal(value, places: 3)
        case .fraction: "\(decimal(value * 100, places: 2)) %"
        }
    }
}
