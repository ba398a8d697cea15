package import Basics
package import Contracts

/// A failed connection attempt or command, with all that is needed to say whether anything may have happened.
package struct RedisError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// The address cannot be read, or a secret in it cannot be revealed.
        case invalidURL = "invalid-url"
        /// The host has no address.
        case unresolved
        /// The host answered that nobody listens there.
        case refused
        /// The connection attempt failed in another way (no route, reset).
        case unreachable
        /// TLS could not be agreed on: a certificate that does not match, a server that does not speak it.
        case tls
        /// The server answered with an error of its own; `word` says which.
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
        case command
    }

    package var code: Code
    package var phase: Phase
    /// Whether any byte of the command may have left this machine.
    package var commandSent: Bool
    /// The first word of the server's error, `READONLY`; empty when the server said nothing.
    package var word: String
    package var message: String
    /// The server's address as tried.
    package var subject: String
    /// When the failure was known, stamped where it was noticed; nil in an error raised before anything was tried.
    package var endedAt: Instant?

    package init(
        _ code: Code, phase: Phase, commandSent: Bool = false, word: String = "", message: String, subject: String = ""
    ) {
        self.code = code
        self.phase = phase
        self.commandSent = commandSent
        self.word = word
        self.message = message
        self.subject = subject
    }

    /// An error that the server answered with: `-WRONGTYPE Operation against a key …`.
    init(answer text: String, phase: Phase, subject: String) {
        let word = String(text.prefix { $0 != " " })
        let isWord = word.allSatisfy { $0.isASCII && ($0.isUppercase || $0.isNumber) } && !word.isEmpty
        self.init(
            .server, phase: phase, commandSent: phase == .command, word: isWord ? word : "ERR", message: text,
            subject: subject)
    }

    /// The class of the failure in one word, for `Operation.reason`: the server's own, else what the client saw.
    package var reason: String {
        if !word.isEmpty { return word }
        return phase == .connect && code == .timeout ? "connect-timeout" : code.rawValue
    }

    package var description: String {
        let place = subject.isEmpty ? "" : " \(subject)"
        return "\(phase == .connect ? "connect to" : "command on")\(place): \(message)"
    }

    /// The same failure as faults and probes report it.
    package func faultError(_ action: String, advice: String = "") -> FaultError {
        FaultError(faultCode, action, advice: advice, underlying: self)
    }

    private var faultCode: FaultError.Code {
        switch code {
        case .invalidURL: .notApplicable
        case .unresolved, .refused, .unreachable, .lost: .unreachable
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .unusable: .unexpected
        case .tls: .denied
        case .server:
            switch word {
            // Wrong or missing password, no right to the command.
            case "WRONGPASS", "NOAUTH", "NOPERM": .denied
            // Up, but not serving: it loads its data, or has lost its primary.
            case "LOADING", "MASTERDOWN", "BUSY": .unreachable
            default: .unexpected
            }
        }
    }
}
