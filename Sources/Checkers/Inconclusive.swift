/// Why a criterion cannot be judged: thrown by the steps of a checker, printed as the reason of its row.
package struct Inconclusive: Error, Sendable, Hashable {
    /// What is missing, and what to change so that it is there.
    package var reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}
