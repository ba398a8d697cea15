internal import Basics
package import Contracts

/// A call that AWS refused, or that got no answer: the code as AWS wrote it, the request's id, and what a person can do.
package struct AWSError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No credentials, incomplete ones, or ones that cannot be read.
        case credentials
        /// No region, a profile that is not there, a setting that cannot be read.
        case configuration
        /// Known, and not allowed.
        case denied
        /// The signature, the key or the token was not accepted.
        case authentication
        case expired
        case clockSkew = "clock-skew"
        case throttled
        case notFound = "not-found"
        /// The resource is not in a state for this.
        case state
        case conflict
        case quota
        /// A parameter that AWS does not accept.
        case invalid
        /// DryRun: the call would have been allowed.
        case dryRunPassed = "dry-run-passed"
        /// AWS's own failure.
        case server
        case unreachable
        case timeout
        case cancelled
        /// Something we do not understand.
        case unexpected
    }

    package var code: Code
    /// AWS's own word: `DBClusterNotFoundFault`; empty when the failure is not AWS's.
    package var word: String
    package var message: String
    /// `rds:FailoverDBCluster in us-east-1`; empty when it is about no call.
    package var subject: String
    /// For AWS's support; empty when there was no answer.
    package var requestID: String
    package var status: Int
    /// What to do now; empty when nothing helps.
    package var advice: String
    /// The other side may have done it: an answer was lost. False is proof that nothing happened.
    package var mayHaveHappened: Bool

    package init(
        _ code: Code, _ message: String, word: String = "", subject: String = "", requestID: String = "",
        status: Int = 0, advice: String = "", mayHaveHappened: Bool = false
    ) {
        self.code = code
        self.word = word
        self.message = message
        self.subject = subject
        self.requestID = requestID
        self.status = status
        self.advice = advice
        self.mayHaveHappened = mayHaveHappened
    }

    package var description: String {
        let place = subject.isEmpty ? "" : "\(subject): "
        let said = word.isEmpty ? "" : "\(word): "
        let request = requestID.isEmpty ? "" : " (request \(requestID))"
        let doubt = mayHaveHappened ? "; it may have been carried out all the same" : ""
        return "\(place)\(said)\(message)\(request)\(doubt)"
    }

    /// The same failure as faults and probes report it.
    package func faultError(_ action: String, advice: String = "") -> FaultError {
        FaultError(faultCode, action, advice: advice.isEmpty ? self.advice : advice, underlying: self)
    }

    private var faultCode: FaultError.Code {
        switch code {
        case .credentials, .configuration, .denied, .authentication, .expired, .clockSkew: .denied
        case .throttled, .server, .unreachable: .unreachable
        case .notFound: .notFound
        case .state, .quota, .invalid: .notApplicable
        case .conflict: .foreignState
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .dryRunPassed, .unexpected: .unexpected
        }
    }
}
