internal import Contracts

/// A recovery time taken apart: which phase used it up, from mark to mark of the failover.
struct Waterfall {
    struct Bar {
        var name: String
        var start: Double
        var end: Double
        /// As the checker gave it; marks out of order make it differ from the bar's length.
        var value: Double
        var detail: String
        /// It runs beside the other phases from the beginning, so it takes no part in the scale.
        var isBackground = false
    }

    struct Mark {
        var name: String
        var at: Double
        var detail: String
    }

    /// In seconds from the fault's effect; empty when the criterion has no phases.
    var bars: [Bar] = []
    /// t0 to t8, those that are known, in order of time.
    var marks: [Mark] = []

    /// The phases between the marks of `research` 1.3: detection t0–t2, promotion t2–t4, reconnection t4–t5,
    /// fleet tail t5–t6, degraded t6–t7, exposure t0–t8. Where no probe knows which node answered, t0–t5 is one phase.
    private static let phases: [(name: String, from: String, to: String)] = [
        ("until first success", "t0", "t5"), ("detection", "t0", "t2"), ("promotion", "t2", "t4"),
        ("detection and promotion", "t0", "t4"),
        ("reconnection", "t4", "t5"), ("fleet tail", "t5", "t6"), ("degraded", "t6", "t7"), ("exposure", "t0", "t8"),
    ]

    init(_ result: CriterionResult) {
        guard result.unit == "s" else { return }
        marks = result.parts.compactMap { part in
            guard part.name.hasPrefix("t"), part.name.count == 2, Int(part.name.dropFirst()) != nil else { return nil }
            return part.value.map { Mark(name: part.name, at: $0, detail: part.detail) }
        }
        func mark(_ name: String) -> Double? { marks.first { $0.name == name }?.at }
        for phase in Waterfall.phases {
            guard let part = result.parts.first(where: { $0.name == phase.name }), let value = part.value,
                let start = mark(phase.from), let end = mark(phase.to)
            else { continue }
            bars.append(
                Bar(
                    name: phase.name, start: min(start, end), end: end, value: value, detail: part.detail,
                    isBackground: phase.name == "exposure"))
        }
        marks.sort { ($0.at, $0.name) < ($1.at, $1.name) }
    }

    /// The end of the scale: where the last phase ends that follows from another.
    var scale: Double { (bars.filter { !$0.isBackground }.map(\.end).max() ?? bars.map(\.end).max() ?? 0) }
}
