internal import Glibc

/// A failed system call: its name, the errno, and what it was applied to.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system call, for example `pidfd_open`.
    package var call: String
    package var errno: CInt
    /// What the call was applied to, for example a path or a pid.
    package var subject: String

    package init(_ call: String, errno: CInt, subject: String = "") {
        self.call = call
        self.errno = errno
        self.subject = subject
    }

    /// Captures the calling thread's errno; call it at once after the failed system call.
    package static func last(_ call: String, subject: String = "") -> SystemError {
        SystemError(call, errno: Glibc.errno, subject: subject)
    }

    package var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        let known = strerror_r(errno, &buffer, buffer.count) == 0
        let text = known ? String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) : "error \(errno)"
        return subject.isEmpty ? "\(call): \(text)" : "\(call) \(subject): \(text)"
    }
}

/// Repeats a system call that a signal interrupted; -1 becomes a thrown error with its errno.
@discardableResult
package func retryingInterrupts<Result: FixedWidthInteger>(
    _ call: String, subject: @autoclosure () -> String = "", _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        if Glibc.errno != EINTR { throw SystemError.last(call, subject: subject()) }
    }
}
