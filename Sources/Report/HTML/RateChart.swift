internal import Basics
internal import Contracts

/// Arrivals per second by outcome, by due time, stacked: how much of the load the system carried.
enum RateChart {
    private static let height = 120

    static func chart(_ probe: Label, _ report: RunReport, _ axis: TimeAxis) -> Chart {
        // At most 300 bins, a second or more each: what is finer is noise of the schedule.
        let width = max(1_000, TimeAxis.step(axis.width / 300))
        let count = max(1, Int((axis.width / width).rounded(.up)))
        var bins = [Bin](repeating: Bin(), count: count)
        let paths = Set(report.clientPaths.filter { $0.probe == probe }.map(\.path))
        for operation in report.history.operations where operation.probe == probe && paths.contains(operation.path) {
            bins[min(count - 1, Int(axis.x(operation.due) / width))].add(operation.outcome)
        }
        let seconds = width / 1_000
        let top = ceiling(Double(bins.map(\.total).max() ?? 0) / seconds)
        var chart = Chart(
            id: "rate-\(probe)", title: "Arrivals of \(probe) by outcome", summary: summary(bins, seconds),
            height: height)
        chart.keys = [
            .init(style: "swatch ok", name: "ok"), .init(style: "swatch unknown", name: "unknown"),
            .init(style: "swatch failed", name: "failed"),
        ]
        chart.labels = [
            ("\(decimal(top, places: 1))/s", 0), ("\(decimal(top / 2, places: 1))/s", height / 2), ("0", height),
        ]
        chart.rules = [height / 2]
        chart.drawing = drawing(bins, width, scale: Double(height) / max(top, 0.001) / seconds)
        chart.tooltip = "bins"
        let rows = bins.map { "[\($0.ok),\($0.unknown),\($0.failed)]" }.joined(separator: ",")
        chart.data = "{\"width\":\(coordinate(width)),\"bins\":[\(rows)]}"
        return chart
    }

    private struct Bin {
        var ok = 0
        var unknown = 0
        var failed = 0
        var total: Int { ok + unknown + failed }

        mutating func add(_ outcome: Outcome) {
            switch outcome {
            case .ok: ok += 1
            case .unknown: unknown += 1
            case .failed: failed += 1
            }
        }
    }

    private static func summary(_ bins: [Bin], _ seconds: Double) -> String {
        let bad = bins.count { $0.ok == 0 && $0.total > 0 }
        let size = seconds == 1 ? "one second" : "\(decimal(seconds, places: 3)) seconds"
        let empty =
            bad == 0
            ? "In every bin something succeeded"
            : "\(bad) bin\(bad == 1 ? "" : "s") with arrivals \(bad == 1 ? "has" : "have") no success at all"
        return "Bins of \(size). \(empty). Every arrival that was due counts, sent or not."
    }

    private static func drawing(_ bins: [Bin], _ width: Double, scale: Double) -> String {
        var paths = (ok: "", unknown: "", failed: "")
        for (index, bin) in bins.enumerated() where bin.total > 0 {
            var base = Double(height)
            func bar(_ count: Int) -> String {
                guard count > 0 else { return "" }
                let size = Double(count) * scale
                defer { base -= size }
                let x = coordinate(Double(index) * width)
                return
                    "M\(x) \(coordinate(base * 10))h\(coordinate(width * 0.92))v-\(coordinate(size * 10))H\(x)z"
            }
            paths.ok += bar(bin.ok)
            paths.unknown += bar(bin.unknown)
            paths.failed += bar(bin.failed)
        }
        return [("ok", paths.ok), ("unknown", paths.unknown), ("failed", paths.failed)]
            .filter { !$0.1.isEmpty }
            .map { "<path class=\"fill \($0.0)\" d=\"\($0.1)\"/>" }.joined(separator: "\n")
    }

    /// The next round number: 1, 2, 2.5 or 5 times a power of ten.
    static func ceiling(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return 1 }
        var power = 1e-6
        while power * 10 <= value { power *= 10 }
        return [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= value * 0.999 } ?? power * 10
    }
}
