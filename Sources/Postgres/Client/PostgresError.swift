package import Basics
package import Contracts

/// A failed connection attempt or statement, with all that is needed to say whether anything may have happened.
package struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The connection string cannot be read, or a secret in it cannot be revealed.
        case invalidDSN = "invalid-dsn"
        /// The host has no address.
        case unresolved
        /// The host answered that nobody listens there.
        case refused
        /// The connection attempt failed in another way (no route, reset, wrong kind of session).
        case unreachable
        /// The server answered with an error of its own; `sqlState` says which.
        case server
        /// The connection broke: reset, end of file, protocol error.
        case lost
        case timeout
        case cancelled
        /// The caller's mistake: the connection is closed or already in use.
        case unusable
    }

    /// How far the client had come; a write that failed while connecting was certainly not made.
    package enum Phase: String, Sendable, Hashable {
        case connect
        case statement
    }

    package var code: Code
    package var phase: Phase
    /// Whether any byte of the statement may have left this machine.
    package var querySent: Bool
    /// The five characters of the server's error class; empty when the server said nothing.
    package var sqlState: String
    /// `ERROR`, `FATAL` or `PANIC`, never translated; empty when the server said nothing.
    package var severity: String
    package var message: String
    /// The server's address as tried.
    package var subject: String
    /// When the failure was known, stamped where it was noticed; nil in an error raised before anything was tried.
    package var endedAt: Instant?

    package init(
        _ code: Code, phase: Phase, querySent: Bool = false, sqlState: String = "", severity: String = "",
        message: String, subject: String = ""
    ) {
        self.code = code
        self.phase = phase
        self.querySent = querySent
        self.sqlState = sqlState
        self.severity = severity
        self.message = message
        self.subject = subject
    }

    /// The class of the failure in one word, for `Operation.reason`: the SQLSTATE, else what the client saw.
    package var reason: String {
        if !sqlState.isEmpty { return sqlState }
        return phase == .connect && code == .timeout ? "connect-timeout" : code.rawValue
    }

    package var description: String {
        let place = subject.isEmpty ? "" : " \(subject)"
        let state = sqlState.isEmpty ? "" : " (SQLSTATE \(sqlState))"
        return "\(phase == .connect ? "connect to" : "statement on")\(place): \(message)\(state)"
    }

    /// The same failure as faults and probes report it.
    package func faultError(_ action: String, advice: String = "") -> FaultError {
        FaultError(faultCode, action, advice: advice, underlying: self)
    }

    private var faultCode: FaultError.Code {
        switch code {
        case .invalidDSN: .notApplicable
        case .unresolved, .refused, .unreachable, .lost: .unreachable
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .unusable: .unexpected
        case .server:
            // 28: authorization; 42501: insufficient privilege; 57P03, 53300: up, but not taking connections.
            if sqlState.hasPrefix("28") || sqlState == "42501" {
                .denied
            } else if phase == .connect {
                .unreachable
            } else {
                .unexpected
            }
        }
    }
}
