internal import Basics
internal import Glibc
internal import Synchronization

/// A compiled POSIX extended regular expression (regex(7)).
///
/// Used under its lock: the C library's matcher writes into the compiled form. The C library's matcher runs in time linear in the text for expressions
/// without back references, which a probe at a few hundred requests per second needs.
final class BodyPattern: Sendable {
    private let compiled: Mutex<regex_t>

    /// Throws the C library's explanation when the text is no expression.
    init(_ text: String) throws(PatternError) {
        var compiled = regex_t()
        let code = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB)
        guard code == 0 else {
            var buffer = [CChar](repeating: 0, count: 128)
            regerror(code, &compiled, &buffer, buffer.count)
            let message = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw PatternError(message: message)
        }
        self.compiled = Mutex(compiled)
    }

    /// Looks up to the first zero byte, if there is one.
    func matches(_ text: String) -> Bool { compiled.withLock { regexec(&$0, text, 0, nil, 0) == 0 } }

    deinit {
        compiled.withLock { regfree(&$0) }
    }
}

/// Why a text is no regular expression.
struct PatternError: Error {
    var message: String
}
