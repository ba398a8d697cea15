internal import Basics
internal import Glibc

/// The `SigIgn` line of /proc/<pid>/status: a hexadecimal mask, bit n-1 for signal n.
func ignoredSignals(in status: String) -> UInt64 {
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
    return line.flatMap { UInt64($0.dropFirst(7).drop { $0 == " " || $0 == "\t" }, radix: 16) } ?? 0
}

/// The controller's own pid.
func ownProcess() -> Int32 { getpid() }

extension UInt64 {
    /// Whether a mask of signals holds one.
    func holds(_ signal: Signal) -> Bool { self >> UInt64(signal.number - 1) & 1 == 1 }
}
