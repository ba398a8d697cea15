package import Basics
package import Contracts

/// What became of one write, before anybody judges it.
package enum WriteEvidence: Sendable, Hashable {
    /// The server reported itself ready after the commit; what it remarked on the way.
    case acknowledged(notices: [QueryResult.Notice])
    case failed(PostgresError)
    /// No connection was free before the deadline: nothing was tried.
    case unsent
}

/// What a client may conclude from a write: the rules of the ledger in one place.
package struct WriteJudgement: Sendable, Hashable {
    package var outcome: Outcome
    package var reason: Label

    package init(_ outcome: Outcome, _ reason: Label = .none) {
        self.outcome = outcome
        self.reason = reason
    }

    /// - An acknowledgement that carries a warning is unknown: a commit that was cancelled while it waited for its
    ///   standby is acknowledged with one, and is lost in a failover.
    /// - What failed before a byte of the statement left is failed: it certainly did not happen.
    /// - After that, only an error that PostgreSQL raises before the commit record is written proves that nothing happened.
    /// - Everything else (timeout, end of file, 57P01, an error of a proxy) is unknown.
    package init(_ evidence: WriteEvidence) {
        switch evidence {
        case .acknowledged(let notices):
            let isWarned = notices.contains { $0.severity == "WARNING" }
            self = isWarned ? WriteJudgement(.unknown, "warned-ack") : WriteJudgement(.ok)
        case .unsent:
            self = WriteJudgement(.failed, "unsent")
        case .failed(let error):
            let isProven = !error.querySent || provesRollback(error)
            self = WriteJudgement(isProven ? .failed : .unknown, Label(error.reason))
        }
    }
}

/// Whether the server's error proves that the statement was rolled back.
///
/// Only `ERROR` counts: `FATAL` and `PANIC` end the session at any point, the commit included. Of the errors only the
/// classes that a statement raises before its commit: not 08 and 58 (raised by poolers and proxies for a server they
/// lost), 57 (shutdown, crash; cancellation may be reported by an intermediary), XX (internal), 40003 (its very meaning
/// is "completion unknown").
private func provesRollback(_ error: PostgresError) -> Bool {
    guard error.code == .server, error.severity == "ERROR", error.sqlState != "40003" else { return false }
    return ["0A", "21", "22", "23", "25", "40", "42", "53", "54", "55"].contains(String(error.sqlState.prefix(2)))
}
