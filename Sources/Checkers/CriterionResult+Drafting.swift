internal import Basics
internal import Contracts

extension CheckSubject {
    /// The row of this criterion before anything is known: inconclusive until a checker says otherwise.
    func draft(_ kind: String, limit: String, unit: String) -> CriterionResult {
        CriterionResult(
            name: name, kind: kind, probe: probe.text, limit: limit, unit: unit, samples: 0, verdict: .inconclusive,
            reason: "")
    }
}

extension CriterionResult {
    /// The longest list of exceptions that a row carries; the history holds the rest.
    static let exceptionLimit = 100

    mutating func conclude(_ verdict: Verdict, _ reason: String) {
        self.verdict = verdict
        self.reason = reason
    }

    mutating func add(_ name: String, _ value: Double?, _ unit: String, _ detail: String = "") {
        parts.append(Part(name: name, value: value, unit: unit, detail: detail))
    }

    mutating func set(_ bounds: SpanBounds) {
        lower = bounds.lower.seconds
        upper = bounds.upper.seconds
    }
}
