package import Basics

/// Looks again and again until something holds, and knows between which two looks it began.
package struct EffectWatch: Sendable {
    private let context: SystemContext
    private let every: Span
    private let deadline: Instant

    package init(_ context: SystemContext, every: Span = .milliseconds(5), within patience: Span) {
        self.context = context
        self.every = every
        deadline = context.time.now + patience
    }

    /// From the start of the last look that did not show it (at least `since`) to the end of the first that did; nil
    /// when the deadline passes first.
    package func firstTime(
        since: Instant, _ holds: () async throws(FaultError) -> Bool
    ) async throws(FaultError) -> InstantRange? {
        var lower = since
        while true {
            let begun = context.time.now
            if try await holds() { return InstantRange(lower, context.time.now) }
            lower = begun
            guard context.time.now + every < deadline else { return nil }
            do throws(CancellationError) {
                try await context.time.sleep(for: every)
            } catch {
                throw FaultError(.cancelled, "the wait for the effect was cancelled")
            }
        }
    }
}
