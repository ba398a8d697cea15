internal import Basics
internal import CCurl

/// Why there is no answer, and whether the request can have had an effect.
///
/// A ledger may call a write failed only with proof that nothing happened: `sentAnything == false` is that proof.
/// Everything after the first byte is unknown (research: measurement, section 1.1).
package struct HTTPError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, Codable, CaseIterable {
        /// Name not resolved, connection refused or lost before any byte of the request was written.
        case refusedBeforeSend = "refused"
        /// Bytes of the request were written and the answer was lost or broken.
        case interrupted
        /// The deadline or the connect timeout passed.
        case timeout
        /// The caller's task was cancelled, or the client was closed.
        case cancelled
        /// Certificate or handshake failure before any byte of the request was written.
        case tls
        /// The body is longer than the request allowed.
        case tooLarge
        /// The request itself cannot be sent: malformed URL, header with a line break, wrong use of the client.
        case misuse
    }

    package var code: Code
    /// What failed and why, in curl's words where curl failed.
    package var message: String
    /// Method and URL without user, password and query.
    package var subject: String
    /// At least one byte of the request left for the other side: nothing is known of its effect.
    package var sentAnything: Bool
    /// libcurl's `CURLcode`; 0 when libcurl did not fail.
    package var curlCode: Int32
    /// errno of the failed connect, or 0.
    package var errno: CInt
    package var timing: HTTPTiming?

    package init(
        _ code: Code, _ message: String, subject: String, sentAnything: Bool = false, curlCode: Int32 = 0,
        errno: CInt = 0, timing: HTTPTiming? = nil
    ) {
        self.code = code
        self.message = message
        self.subject = subject
        self.sentAnything = sentAnything
        self.curlCode = curlCode
        self.errno = errno
        self.timing = timing
    }

    /// The other side cannot have acted on the request.
    package var provesNothingHappened: Bool { !sentAnything }

    package var description: String {
        let cause = errno == 0 ? "" : " (\(SystemError("connect", errno: errno)))"
        return "\(subject): \(message)\(cause)"
    }
}

extension HTTPError.Code {
    /// The code for a result of libcurl; the same result means different things before and after the first byte.
    init(curl result: CURLcode, sentAnything: Bool) {
        switch result {
        case CURLE_OPERATION_TIMEDOUT: self = .timeout
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT, CURLE_FAILED_INIT,
            CURLE_OUT_OF_MEMORY, CURLE_NOT_BUILT_IN, CURLE_UNKNOWN_OPTION:
            self = sentAnything ? .interrupted : .misuse
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            self = sentAnything ? .interrupted : .tls
        default: self = sentAnything ? .interrupted : .refusedBeforeSend
        }
    }
}
