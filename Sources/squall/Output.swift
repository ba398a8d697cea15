internal import Basics
internal import Glibc

/// The program's two outputs: results go to standard output, everything about them to standard error.
enum Output {
    static func line(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    static func error(_ text: String) {
        write(text + "\n", to: STDERR_FILENO)
    }

    /// Unbuffered: what a person has read is what has happened. A closed output is no reason to stop healing.
    static func write(_ text: String, to descriptor: CInt) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 {
                if count < 0 && errno == EINTR { continue }
                return
            }
            offset += count
        }
    }

    static func isTerminal(_ descriptor: CInt) -> Bool { isatty(descriptor) == 1 }

    /// Colour only for people: not in files, not for dumb terminals, not when NO_COLOR is set.
    static var usesColor: Bool {
        isTerminal(STDERR_FILENO) && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    }

    /// Columns and rows of the terminal; nil when standard output is none.
    static var terminalSize: (columns: Int, rows: Int)? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}

/// An environment variable; nil when it is unset or empty.
func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
}

/// The data form of a command's result.
func printJSON(_ value: some Encodable) throws {
    Output.line(try JSONValue(encoding: value).text())
}
