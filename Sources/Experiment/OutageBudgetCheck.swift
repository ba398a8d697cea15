internal import Basics

/// Refuses an RTO, an availability and a window that cannot hold together.
///
/// An outage as long as the RTO allows leaves at most `(window − RTO) / window` of the window; an availability above
/// that fails although the RTO holds. Only criteria that judge the same probe are compared.
struct OutageBudgetCheck {
    var diagnostics = Diagnostics()

    mutating func check(_ criteria: [LocatedCriterion]) {
        for recovery in criteria {
            guard let limit = recovery.facts.recoveryTime else { continue }
            for other in criteria where other.probe?.value == recovery.probe?.value {
                guard let availability = other.facts.availability, let window = other.facts.window else { continue }
                compare(recovery, limit, other, availability, window)
            }
        }
    }

    private mutating func compare(
        _ recovery: LocatedCriterion, _ limit: Span, _ other: LocatedCriterion, _ availability: Share, _ window: Span
    ) {
        guard window > .zero else { return }
        let budget = Span(nanoseconds: Int64(((1 - availability.fraction) * Double(window.nanoseconds)).rounded()))
        guard budget < limit else { return }
        let left = max(0, (window - limit).seconds / window.seconds)
        let names = (recovery.declaration.name, other.declaration.name)
        let enough = Span.seconds(Int64((limit.seconds / max(1e-6, 1 - availability.fraction) - 1e-9).rounded(.up)))
        let repair =
            availability.fraction < 1
            ? "give '\(names.1)' a window of at least \(enough), or lower it to \(decimal((left * 1_000).rounded(.down) / 10, places: 1))%"
            : "100% allows no outage at all, in any window"
        let place = recovery.declaration.location
        diagnostics.error(
            "'\(names.0)' and '\(names.1)' cannot hold together: \(availability) of \(window) leaves an outage budget of "
                + "\(budget), less than the \(limit) that '\(names.0)' allows",
            at: other.declaration.location,
            notes: [
                "an outage of \(limit) leaves (\(window) - \(limit)) / \(window) = \(decimal(left * 100, places: 2))%",
                repair, "'\(names.0)' is at \(place.file):\(place.line):\(place.column)",
            ])
    }
}
