internal import Basics
internal import Contracts
internal import HTTP

/// What may be concluded from one request; `failed` only with proof that nothing happened, where that matters.
struct RequestOutcome: Sendable, Hashable {
    var outcome: Outcome
    var reason: Label

    static let ok = RequestOutcome(outcome: .ok, reason: .none)

    /// An answer that came. `failure` is nil when it is as it should be.
    ///
    /// A read that is not answered as expected failed: it changes nothing. A write failed for sure only when the server
    /// itself refuses the request as such (4xx, but for 408, which may come from a proxy that gave up waiting); a 5xx
    /// may come from a proxy behind which the write stands, and a 2xx with the wrong content was a write all the same.
    init(_ response: HTTPResponse, failure: Label?, action: Operation.Action) {
        guard let failure else {
            self = .ok
            return
        }
        let isRefusal = (300...499).contains(response.status) && response.status != 408
        switch action {
        case .read, .check: outcome = .failed
        case .write: outcome = isRefusal ? .failed : .unknown
        }
        reason = failure
    }

    /// No answer. Nothing was sent: failed. Something was: a read is lost, a write may stand.
    init(_ error: HTTPError, action: Operation.Action) {
        let isProven = error.provesNothingHappened || action != .write
        outcome = isProven ? .failed : .unknown
        reason =
            switch error.code {
            case .refusedBeforeSend: "refused"
            case .interrupted: "lost"
            // Without a timing the request was never taken up: its time had passed in our own queue.
            case .timeout: error.sentAnything ? "timeout" : error.timing == nil ? "not-sent" : "connect-timeout"
            case .cancelled: "cancelled"
            case .tls: "tls"
            case .tooLarge: "too-large"
            case .misuse: "misuse"
            }
    }

    private init(outcome: Outcome, reason: Label) {
        self.outcome = outcome
        self.reason = reason
    }
}
