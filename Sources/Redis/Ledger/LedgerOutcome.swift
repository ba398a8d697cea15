package import Basics
package import Contracts

/// What became of one write, before anybody judges it.
package enum WriteEvidence: Sendable, Hashable {
    /// The answers to the write and, if replicas were waited for, to WAIT.
    case answered([RedisValue])
    case failed(RedisError)
}

/// What a client may conclude from a write: the rules of the ledger in one place.
package struct WriteJudgement: Sendable, Hashable {
    package var outcome: Outcome
    package var reason: Label

    init(_ outcome: Outcome, _ reason: Label = .none) {
        self.outcome = outcome
        self.reason = reason
    }

    /// - An answer with a length is an acknowledgement. If replicas were to confirm it and fewer did, it is unknown: it stands
    ///   on the primary, and the client was not promised more.
    /// - What failed before a byte of the command left is failed: it certainly did not happen.
    /// - An error that Redis raises before it executes a command proves that nothing happened. One that may be a proxy's
    ///   own (ERR) proves nothing.
    /// - Everything else (timeout, end of file) is unknown.
    package init(_ evidence: WriteEvidence, replicas: Int) {
        switch evidence {
        case .answered(let answers):
            switch answers.first {
            case .integer: self = Self.confirmed(answers, by: replicas)
            case .error(let text):
                let error = RedisError(answer: text, phase: .command, subject: "")
                self = Self(Self.refusals.contains(error.word) ? .failed : .unknown, Label(error.reason))
            case .status, .bytes, .null, .array, nil: self = Self(.unknown, "unexpected-answer")
            }
        case .failed(let error):
            self = Self(error.commandSent ? .unknown : .failed, Label(error.reason))
        }
    }

    private static func confirmed(_ answers: [RedisValue], by replicas: Int) -> WriteJudgement {
        guard replicas > 0 else { return Self(.ok) }
        guard answers.count > 1, case .integer(let count) = answers[1] else { return Self(.unknown, "wait-failed") }
        return count >= Int64(replicas) ? Self(.ok) : Self(.unknown, "too-few-replicas")
    }

    /// Raised by `processCommand` before the command runs (Redis 7.0, server.c), or by the command before it changes anything.
    private static let refusals: Set<String> = [
        "READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS", "OOM", "MISCONF", "NOPERM", "NOAUTH", "WRONGTYPE", "BUSY",
        "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN",
    ]

    /// A server that will not take writes for a while: drivers close such a connection and look for the primary again.
    static func isMisplaced(_ answers: [RedisValue]) -> Bool {
        guard case .error(let text) = answers.first else { return false }
        return ["READONLY", "MASTERDOWN", "LOADING", "CLUSTERDOWN"].contains { text.hasPrefix($0) }
    }
}
