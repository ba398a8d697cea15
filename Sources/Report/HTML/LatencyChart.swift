internal import Basics
internal import Contracts
internal import Glibc

/// Every arrival of a probe by when it was due and how long it took, on a logarithmic axis, coloured by outcome.
///
/// At most about six thousand points: those that fall on the same spot are drawn once, on a grid that is made coarser
/// until they fit. Failures are thinned last, and a lonely outlier always has a spot of its own, so both stay visible.
enum LatencyChart {
    static let limit = 6_000
    private static let height = 240
    /// Pixels per row of the grid.
    private static let row = 2

    private struct Spot {
        var x: Int
        /// Tenths of a pixel from the top.
        var y: Int
    }

    /// What is drawn: a probe's operations on these paths.
    private typealias Source = (probe: Label, paths: Set<Label>)

    private struct Group: Hashable {
        var outcome: Outcome
        var path: Label
        var reason: Label
    }

    static func chart(_ probe: Label, _ report: RunReport, _ axis: TimeAxis) -> Chart {
        let paths = report.clientPaths.filter { $0.probe == probe }
        let labels = Set(paths.map(\.path))
        let scale = LogScale(
            from: paths.map(\.fastest).min().map { max($0.milliseconds, 0.01) } ?? 1,
            to: paths.map(\.worst).max().map { max($0.milliseconds, 1) } ?? 10, height: Double(height))
        let spots = spots((probe, labels), report.history, axis, scale)
        let drawn = spots.values.reduce(0) { $0 + $1.count }
        let due = paths.reduce(0) { $0 + $1.due }
        var chart = Chart(
            id: "latency-\(probe)", title: "Latency of \(probe), from the due time",
            summary: summary(paths, drawn, due),
            height: height)
        chart.keys = [
            .init(style: "dot ok", name: "ok"), .init(style: "dot unknown", name: "unknown"),
            .init(style: "square failed", name: "failed"),
        ]
        chart.labels = scale.ticks.map { (LogScale.label($0), Int(scale.y($0).rounded())) }
        chart.rules = scale.ticks.map { Int(scale.y($0).rounded()) }
        chart.tooltip = "points"
        chart.data = "[\(decimal(scale.from, places: 6)),\(decimal(scale.to, places: 6)),\(height * 10)]"
        // Successes first: what went wrong must lie on top.
        let groups = spots.keys.sorted { order($0) < order($1) }
        chart.drawing = groups.map { path($0, spots[$0] ?? []) }.joined(separator: "\n")
        return chart
    }

    private static func order(_ group: Group) -> (Int, String, String) {
        let rank =
            switch group.outcome {
            case .ok: 0
            case .unknown: 1
            case .failed: 2
            }
        return (rank, group.path.text, group.reason.text)
    }

    private static func summary(_ paths: [PathStatistics], _ drawn: Int, _ due: Int) -> String {
        let counts =
            "\(Figure.count(paths.reduce(0) { $0 + $1.ok })) ok, \(Figure.count(paths.reduce(0) { $0 + $1.unknown })) unknown, "
            + "\(Figure.count(paths.reduce(0) { $0 + $1.failed })) failed"
        let share =
            drawn < due
            ? "\(Figure.count(drawn)) points stand for \(Figure.count(due)) arrivals; those on the same spot are drawn once"
            : "all \(Figure.count(due)) arrivals are drawn"
        return "\(counts). Failures are shown when they were known; \(share)."
    }

    private static func spots(
        _ source: Source, _ history: History, _ axis: TimeAxis, _ scale: LogScale
    ) -> [Group: [Spot]] {
        var columns = 1_400
        let misses = collect(source, history, axis, scale, columns, limit / 2) { $0 != .ok }
        let room = limit - misses.values.reduce(0) { $0 + $1.count }
        var hits = collect(source, history, axis, scale, columns, .max) { $0 == .ok }
        while hits.values.reduce(0, { $0 + $1.count }) > room, columns > 20 {
            columns = columns * 3 / 4
            hits = collect(source, history, axis, scale, columns, .max) { $0 == .ok }
        }
        return hits.merging(misses) { first, _ in first }
    }

    /// One point per cell and group; coarser columns until at most `limit` are left.
    private static func collect(
        _ source: Source, _ history: History, _ axis: TimeAxis, _ scale: LogScale, _ columns: Int, _ limit: Int,
        _ wanted: (Outcome) -> Bool
    ) -> [Group: [Spot]] {
        var taken: [Group: [Bool]] = [:]
        var spots: [Group: [Spot]] = [:]
        let rows = height / row + 1
        for operation in history.operations
        where operation.probe == source.probe && wanted(operation.outcome) && source.paths.contains(operation.path) {
            let group = Group(outcome: operation.outcome, path: operation.path, reason: operation.reason)
            // Names come from the system under test: their number is bounded before memory is.
            let known = taken[group] != nil || taken.count < 24
            let key = known ? group : Group(outcome: operation.outcome, path: .none, reason: "other")
            let y = scale.y(operation.latency.milliseconds)
            let line = min(rows - 1, Int(y) / row)
            // Every row's columns begin elsewhere: points of a regular schedule would line up in stripes otherwise.
            let shift = Double(line * 37 % 64) / 64 * axis.width / Double(columns)
            let column = min(columns - 1, Int((axis.x(operation.due) + shift) / axis.width * Double(columns)))
            let cell = column * rows + line
            if taken[key] == nil { taken[key] = [Bool](repeating: false, count: columns * rows) }
            if taken[key]?[cell] == true { continue }
            taken[key]?[cell] = true
            spots[key, default: []].append(Spot(x: axis.whole(operation.due), y: Int((y * 10).rounded())))
        }
        if columns > 20, spots.values.reduce(0, { $0 + $1.count }) > limit {
            return collect(source, history, axis, scale, columns * 3 / 4, limit, wanted)
        }
        return spots
    }

    /// Height of a failure's mark in tenths of a pixel.
    private static let square = 34

    /// One path, each point relative to the one before: dots are strokes of no length with round ends; failures are
    /// short upright strokes as thick as long, because square ends of strokes without length get lost on paper.
    private static func path(_ group: Group, _ spots: [Spot]) -> String {
        var path = ""
        var last = Spot(x: 0, y: 0)
        let isSquare = group.outcome == .failed
        for spot in spots.sorted(by: { ($0.x, $0.y) < ($1.x, $1.y) }) {
            let top = isSquare ? spot.y - square / 2 : spot.y
            path += "m\(spot.x - last.x) \(top - last.y)" + (isSquare ? "v\(square)" : "h0")
            last = Spot(x: spot.x, y: isSquare ? top + square : top)
        }
        let names = [group.path.text, group.outcome.rawValue, group.reason.text].filter { !$0.isEmpty }
        return
            "<path class=\"points \(group.outcome.rawValue)\" data-name=\"\(html(names.joined(separator: " · ")))\" d=\"M0 0\(path)\"/>"
    }
}

/// A logarithmic y axis over whole decades.
struct LogScale {
    let from: Double
    let to: Double
    private let height: Double

    init(from: Double, to: Double, height: Double) {
        let bottom = LogScale.round(below: from)
        self.from = bottom
        self.to = max(bottom * 10, to * 1.3)
        self.height = height
    }

    /// The largest of 1, 2 and 5 times a power of ten that is not above the value.
    private static func round(below value: Double) -> Double {
        var power = 1e-3
        while power * 10 <= value { power *= 10 }
        return [5 * power, 2 * power].first { $0 <= value } ?? power
    }

    /// Pixels from the top; values beyond the scale lie on its edge.
    func y(_ value: Double) -> Double {
        let share = LogScale.log(max(from, min(to, value)) / from) / LogScale.log(to / from)
        return (1 - share) * (height - 2) + 1
    }

    var ticks: [Double] {
        var ticks: [Double] = []
        var tick = 1e-3
        while tick <= to * 1.000_001 {
            if tick >= from * 0.999_999 { ticks.append(tick) }
            tick *= 10
        }
        return ticks
    }

    /// A latency in milliseconds: `1 ms`, `10 s`.
    static func label(_ milliseconds: Double) -> String {
        Figure.latency(Span(nanoseconds: Int64((milliseconds * 1e6).rounded())))
            .replacing(".00", with: "").replacing(".0 ", with: " ")
    }

    private static func log(_ value: Double) -> Double { Glibc.log(value) }
}
