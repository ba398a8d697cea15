internal import Contracts
internal import Synchronization

/// One fault at a time on one target, within a run.
///
/// Steps may run side by side, and a fault that looks at its target before another changes it and acts after that would
/// act on something else than it has seen: a pause that was prepared before a restart freezes the new start, which its
/// undo does not know. After a failed injection, which may still take effect, nothing more is put on the target.
package final class TargetTurns: Sendable {
    private struct State {
        var taken: [String: Gate] = [:]
        var spoiled: Set<String> = []
    }

    private enum Answer {
        case taken
        case wait(Gate)
        case spoiled
    }

    private let state = Mutex(State())

    package init() {}

    /// Waits until nobody else has any of the resources, and has all of them while `body` runs.
    func whileHaving<Result>(
        _ resources: [String], _ body: () async throws(FaultError) -> Result
    ) async throws(FaultError) -> Result {
        try await take(resources)
        do throws(FaultError) {
            let result = try await body()
            release(resources, isSpoiled: false)
            return result
        } catch {
            release(resources, isSpoiled: true)
            throw error
        }
    }

    private func take(_ resources: [String]) async throws(FaultError) {
        let own = Gate()
        while true {
            switch state.withLock({ Self.answer(to: resources, own, &$0) }) {
            case .taken: return
            case .spoiled:
                throw FaultError(
                    .notApplicable, "another fault on this target has just failed, and may still be on its way")
            case .wait(let other):
                await other.wait()
                if Task.isCancelled { throw FaultError(.cancelled, "cancelled while waiting for another fault") }
            }
        }
    }

    private static func answer(to resources: [String], _ own: Gate, _ state: inout State) -> Answer {
        if !state.spoiled.isDisjoint(with: resources) { return .spoiled }
        for resource in resources {
            if let other = state.taken[resource] { return .wait(other) }
        }
        for resource in resources { state.taken[resource] = own }
        return .taken
    }

    private func release(_ resources: [String], isSpoiled: Bool) {
        let own = state.withLock { state in
            if isSpoiled { state.spoiled.formUnion(resources) }
            return resources.compactMap { state.taken.removeValue(forKey: $0) }
        }
        for gate in own { gate.open() }
    }
}
