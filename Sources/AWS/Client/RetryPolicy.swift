internal import Basics
internal import Synchronization

/// AWS's standard retry mode: how often, after how long, and a budget that ends retries when everything fails.
///
/// Source: the SDK reference guide, "Retry behavior": three attempts, a random part of min(2^(n-1), 20) seconds, 500 tokens
/// of which a retry takes five (ten after a timeout), one comes back with each success.
final class RetryPolicy: Sendable {
    private static let capacity = 500

    private let attempts: Int
    /// A number from 0 to 1.
    private let random: @Sendable () -> Double
    private let tokens = Mutex(RetryPolicy.capacity)

    init(attempts: Int, random: @escaping @Sendable () -> Double) {
        self.attempts = attempts
        self.random = random
    }

    /// How long to wait before the next attempt; nil: give up with this failure.
    func delay(after failure: AWSError, attempt: Int, _ repetition: AWSCall.Repetition) -> Span? {
        guard attempt < attempts, isWorthRepeating(failure, repetition) else { return nil }
        let cost = failure.code == .timeout ? 10 : 5
        let isPaid = tokens.withLock { tokens in
            guard tokens >= cost else { return false }
            tokens -= cost
            return true
        }
        guard isPaid else { return nil }
        return Span(seconds: random() * min(Double(1 << (attempt - 1)), 20))
    }

    func succeeded() {
        tokens.withLock { $0 = min(Self.capacity, $0 + 1) }
    }

    /// What may pass by itself; and, for a call that changes something, only what certainly was not carried out.
    private func isWorthRepeating(_ failure: AWSError, _ repetition: AWSCall.Repetition) -> Bool {
        switch failure.code {
        case .throttled: return true
        case .server, .unreachable, .timeout, .unexpected:
            switch repetition {
            case .read, .idempotent: return true
            case .once: return !failure.mayHaveHappened
            }
        case .credentials, .configuration, .denied, .authentication, .expired, .clockSkew, .notFound, .state,
            .conflict, .quota, .invalid, .dryRunPassed, .cancelled:
            return false
        }
    }
}
