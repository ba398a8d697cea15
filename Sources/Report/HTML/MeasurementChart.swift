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
        /// Of the values above zero.
        var smallest = Double.infinity

        init(unit: Measurement.Unit) {
            self.unit = unit
        }

        mutating func add(_ measurement: Measurement, _ axis: TimeAxis) {
            count += 1
            if measurement.isCensored { censored += 1 }
            maximum = max(maximum, measurement.value)
            if measurement.value > 0 { smallest = min(smallest, measurement.value) }
            let column = axis.column(measurement.at, of: columns)
            if let known = worst[column], known.value >= measurement.value { return }
            worst[column] = (axis.x(measurement.at), measurement.value, measurement.isCensored)
        }
    }

    private static func chart(_ probe: Label, _ metric: Label, _ nodes: [Label: Series], _ axis: TimeAxis) -> Chart {
        let maximum = nodes.values.map(\.maximum).max() ?? 0
        let unit = nodes.values.first?.unit ?? .count
        let scale = ValueScale(nodes.values.map(\.smallest).min() ?? 0, maximum, height: Double(height))
        let censored = nodes.values.reduce(0) { $0 + $1.censored }
        var chart = Chart(
            id: "metric-\(probe)-\(metric)", title: metric == probe ? metric.text : "\(metric) (\(probe))",
            summary:
                "\(Figure.count(nodes.values.reduce(0) { $0 + $1.count })) values, the highest \(text(maximum, unit))"
                + (censored == 0
                    ? "." : "; \(Figure.count(censored)) are lower bounds (the node did not answer), drawn as dots."),
            height: height)
        chart.labels = scale.ticks.map { (text($0, unit), Int(scale.y($0).rounded())) }
        chart.rules = scale.ticks.map { Int(scale.y($0).rounded()) }
        var shapes: [String] = []
        for (index, node) in nodes.keys.sorted().enumerated() {
            guard let series = nodes[node] else { continue }
            let name = node.isEmpty ? metric.text : node.text
            chart.keys.append(.init(style: "line n\(index % 6)", name: name))
            shapes += drawing(series, "n\(index % 6)", scale)
        }
        chart.drawing = shapes.joined(separator: "\n")
        return chart
    }

    private static func drawing(_ series: Series, _ style: String, _ scale: ValueScale) -> [String] {
        var line = ""
        var dots = ""
        var isDown = false
        var last = 0
        for (column, point) in series.worst.sorted(by: { $0.key < $1.key }) {
            let y = coordinate(scale.y(point.value) * 10)
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

/// A y axis from zero, or a logarithmic one where the values span more than a hundredfold: a lag of 16 s would flatten one of 4 ms.
struct ValueScale {
    private let top: Double
    private let logarithmic: LogScale?
    private let height: Double

    init(_ smallest: Double, _ largest: Double, height: Double) {
        self.height = height
        top = RateChart.ceiling(largest)
        let isWide = smallest.isFinite && smallest > 0 && largest / smallest > 100
        logarithmic = isWide ? LogScale(from: smallest, to: largest, height: height) : nil
    }

    /// Pixels from the top.
    func y(_ value: Double) -> Double {
        logarithmic?.y(value) ?? (1 - max(0, value) / top) * height
    }

    var ticks: [Double] { logarithmic?.ticks ?? [top, top / 2, 0] }
}
