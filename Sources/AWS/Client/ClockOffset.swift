internal import Basics
internal import HTTP
internal import Synchronization

/// How far AWS's clock is ahead of this machine's, as its own answers say: a signature is good for five minutes.
final class ClockOffset: Sendable {
    private let offsets = Mutex<[String: Span]>([:])

    /// The time to sign with for an endpoint.
    func now(_ host: String, _ wallClock: WallInstant) -> WallInstant {
        let offset = offsets.withLock { $0[host] ?? .zero }
        return WallInstant(nanoseconds: wallClock.nanoseconds + offset.nanoseconds)
    }

    /// Takes the difference over from a refusal; true when that changes what would be signed, so that one more attempt
    /// can succeed. A clock that is right, or was corrected already, is not what the refusal is about.
    func correct(_ host: String, from response: HTTPResponse, _ wallClock: WallInstant) -> Bool {
        guard let date = response.headers["Date"].flatMap({ WallInstant(parsingHTTPDate: $0) }) else { return false }
        let offset = Span(nanoseconds: date.nanoseconds - wallClock.nanoseconds)
        return offsets.withLock { offsets in
            let change = (offset - (offsets[host] ?? .zero)).nanoseconds.magnitude
            guard change > UInt64(Span.seconds(60).nanoseconds) else { return false }
            offsets[host] = offset
            return true
        }
    }
}
