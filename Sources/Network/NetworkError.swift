internal import Basics
internal import Glibc

/// A failed conversation with the kernel about a network: what was asked, its errno, its own words, and the attribute
/// of the request that they are about.
package struct NetworkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller decides by; the errno is kept beside it.
    package enum Code: String, Sendable, Hashable {
        /// A capability is missing.
        case denied
        /// This kernel cannot do it.
        case unsupported
        /// Something of that name is there already.
        case exists
        case notFound
        /// The request is larger than the socket takes.
        case tooLarge
        case timeout
        case invalid
        case unexpected
    }

    package var code: Code
    package var operation: String
    package var errno: CInt
    /// The kernel's extended acknowledgement; empty when it sent none.
    package var kernelText: String
    /// Path of attribute numbers that the kernel's offset points at, `4.1[lookup].2`; empty when it sent none.
    package var attribute: String

    package init(_ operation: String, errno: CInt, kernelText: String = "", attribute: String = "") {
        self.operation = operation
        self.errno = errno
        self.kernelText = kernelText
        self.attribute = attribute
        code =
            switch errno {
            case EPERM, EACCES: .denied
            case EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT: .unsupported
            case EEXIST: .exists
            case ENOENT, ESRCH, ENODEV: .notFound
            case EMSGSIZE: .tooLarge
            case EAGAIN, ETIMEDOUT: .timeout
            case EINVAL, ERANGE: .invalid
            default: .unexpected
            }
    }

    init(_ operation: String, _ error: SystemError) {
        self.init("\(operation): \(error.call) \(error.subject)", errno: error.errno)
    }

    package var description: String {
        let text = SystemError(operation, errno: errno).description
        let words = kernelText.isEmpty ? "" : " (\(kernelText))"
        let place = attribute.isEmpty ? "" : " at attribute \(attribute)"
        return "\(text)\(words)\(place)"
    }
}
