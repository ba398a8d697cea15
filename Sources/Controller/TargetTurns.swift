internal import Contracts
internal import Synchronization

/// One fault at a time on one target, within a run.
///
/// Steps may run side by side, and a fault that looks at its target before another changes it and acts after that would
/// act on something else than it has seen: a pause that was prepared before a restart freezes the new start, which its
/// undo does not know.
package final class TargetTurns: Sendable {
    private let taken = Mutex([String: Gate]())

    package init() {}

    /// Waits until nobody else has any of the resources, and has all of them while `body` runs.
    func whileHaving<Result>(
        _ resources: [String], _ body: () async throws(FaultError) -> Result
    ) async throws(FaultError) -> Result {
        let own = Gate()
        while let other = taken.withLock({ $0.take(resources, own) }) {
            await other.wait()
            if Task.isCancelled { throw FaultError(.cancelled, "cancelled while waiting for another fault") }
        }
        defer {
            taken.withLock { taken in
                for resource in resources { taken[resource] = nil }
            }
            own.open()
        }
        return try await body()
    }
}

extension [String: Gate] {
    /// nil: taken; else the turn of somebody who has one of them.
    fileprivate mutating func take(_ resources: [String], _ gate: Gate) -> Gate? {
        for resource in resources {
            if let other = self[resource] { return other }
        }
        for resource in resources { self[resource] = gate }
        return nil
    }
}
