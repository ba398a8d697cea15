internal import Glibc

/// An open file descriptor with one owner; closed when the owner goes away.
package struct Descriptor: ~Copyable {
    package let number: CInt

    package init(owning number: CInt) {
        self.number = number
    }

    /// Opens with close-on-exec always set: a child must never inherit a lock, a journal or a socket.
    package init(opening path: String, flags: CInt, mode: UInt32 = 0o600) throws(SystemError) {
        number = try retryingInterrupts("open", subject: path) { open(path, flags | O_CLOEXEC, mode) }
    }

    /// Writes every byte or throws; a short write is continued.
    package borrowing func writeAll(_ bytes: [UInt8], subject: String = "") throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let start = offset
            let count = try retryingInterrupts("write", subject: subject) {
                bytes.withUnsafeBytes { write(number, $0.baseAddress.map { $0 + start }, bytes.count - start) }
            }
            offset += count
        }
    }

    /// Everything from the current position to the end of the file.
    package borrowing func readToEnd(subject: String = "") throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = try retryingInterrupts("read", subject: subject) { read(number, &buffer, buffer.count) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    deinit {
        close(number)
    }
}
