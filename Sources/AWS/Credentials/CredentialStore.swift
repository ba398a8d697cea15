internal import Basics

/// Keeps credentials and gets new ones before they end. Callers that come meanwhile wait for the same answer.
actor CredentialStore {
    /// With less than this left new ones are tried for, and those at hand still do: fifteen minutes, or a quarter of a
    /// shorter life.
    private static let advisory = (span: Span.minutes(15), part: Int64(4))
    /// With less than this left they are used no more.
    private static let mandatory = (span: Span.minutes(10), part: Int64(8))

    private let time: any TimeSource
    private let load: @Sendable () async throws(AWSError) -> AWSCredentials
    private var kept: AWSCredentials?
    private var loadedAt = WallInstant(nanoseconds: 0)
    private var isLoading = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    init(time: any TimeSource, load: @escaping @Sendable () async throws(AWSError) -> AWSCredentials) {
        self.time = time
        self.load = load
    }

    func credentials() async throws(AWSError) -> AWSCredentials {
        while isLoading { await withCheckedContinuation { waiters.append($0) } }
        if let kept, isGood(kept, for: Self.advisory) { return kept }
        isLoading = true
        defer {
            isLoading = false
            for waiter in waiters { waiter.resume() }
            waiters = []
        }
        do throws(AWSError) {
            let new = try await load()
            kept = new
            loadedAt = time.wallClock
            return new
        } catch {
            if let kept, isGood(kept, for: Self.mandatory) { return kept }
            throw error
        }
    }

    private func isGood(_ credentials: AWSCredentials, for limit: (span: Span, part: Int64)) -> Bool {
        guard let expiration = credentials.expiration else { return true }
        let life = Span(nanoseconds: expiration.nanoseconds - loadedAt.nanoseconds)
        return expiration.nanoseconds - time.wallClock.nanoseconds > min(limit.span, life / limit.part).nanoseconds
    }
}
