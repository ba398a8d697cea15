package import Basics
internal import Glibc

/// Reads `events.ndjson` in pieces of 256 KiB, so that ten minutes of a thousand observations a second need no second copy.
package enum EventFile {
    /// Hands every event of the file to `body`, in order, and says what could not be read.
    @discardableResult
    package static func read(
        _ path: String, _ body: (HistoryEvent) -> Void
    ) throws(SystemError) -> EventLineDecoder.Tally {
        let file = try Descriptor(opening: path, flags: O_RDONLY)
        var decoder = EventLineDecoder()
        var buffer = [UInt8](repeating: 0, count: 256 * 1_024)
        while true {
            let count = try retryingInterrupts("read", subject: path) {
                buffer.withUnsafeMutableBytes { Glibc.read(file.number, $0.baseAddress, $0.count) }
            }
            if count == 0 { break }
            decoder.feed(buffer[..<count], body)
        }
        decoder.finish(body)
        return decoder.tally
    }

    /// The whole history of a file.
    package static func history(
        _ path: String
    ) throws(SystemError) -> (history: History, tally: EventLineDecoder.Tally) {
        var history = History()
        let tally = try read(path) { history.append($0) }
        return (history, tally)
    }
}
