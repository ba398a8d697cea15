internal import Contracts

/// The parts of a duration laid end to end: who used up the recovery time.
struct Waterfall {
    struct Bar {
        var name: String
        var start: Double
        var end: Double
        var detail: String
    }

    /// In the criterion's unit, from the fault's effect; empty when the criterion is no duration or has fewer than two parts.
    var bars: [Bar] = []

    init(_ result: CriterionResult) {
        guard result.unit == "s" else { return }
        var position = 0.0
        for part in result.parts {
            guard part.unit == "s", let value = part.value, value >= 0, value.isFinite else { continue }
            bars.append(Bar(name: part.name, start: position, end: position + value, detail: part.detail))
            position += value
        }
        if bars.count < 2 { bars = [] }
    }
}
