internal import Glibc

/// A signal of this machine, written by its name (`SIGKILL`, `KILL`) or its number.
package struct Signal: Sendable, Hashable {
    package let number: Int32

    /// nil when the kernel has no such signal (1 to 64 on Linux).
    package init?(number: Int32) {
        guard (1...64).contains(number) else { return nil }
        self.number = number
    }

    private init(known number: Int32) {
        self.number = number
    }

    /// Reads `SIGTERM`, `TERM`, `sigterm` or `15`.
    package init?(parsing text: String) {
        if let number = Int32(text) {
            self.init(number: number)
            return
        }
        let upper = text.uppercased()
        let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
        guard let known = Signal.names.first(where: { $0.name == name }) else { return nil }
        self.init(known: known.number)
    }

    package static let kill = Signal(known: SIGKILL)
    package static let stop = Signal(known: SIGSTOP)
    package static let terminate = Signal(known: SIGTERM)
    package static let resume = Signal(known: SIGCONT)

    /// Whether its default action stops a process until SIGCONT (SIGSTOP always does; the others may be caught).
    package var stopsByDefault: Bool { [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(number) }

    /// Signals that all architectures of Linux number alike; the real-time ones are written as numbers.
    private static let names: [(name: String, number: Int32)] = [
        ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
        ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV), ("USR2", SIGUSR2),
        ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("CHLD", SIGCHLD), ("CONT", SIGCONT),
        ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN), ("TTOU", SIGTTOU), ("URG", SIGURG),
        ("XCPU", SIGXCPU), ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM), ("PROF", SIGPROF), ("WINCH", SIGWINCH),
        ("IO", SIGIO), ("SYS", SIGSYS),
    ]
}

extension Signal: CustomStringConvertible {
    package var description: String {
        Signal.names.first { $0.number == number }.map { "SIG\($0.name)" } ?? "signal \(number)"
    }
}

extension Signal: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Int32.self)
        guard let signal = Signal(number: number) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no signal \(number)")
        }
        self = signal
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(number)
    }
}
