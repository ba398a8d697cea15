internal import Basics

/// Which events are new, and where on the run's timeline they belong.
struct EventTimeline: Sendable {
    /// AWS gives events no identifiers: two that are alike in all of this are one.
    private struct Identity: Sendable, Hashable {
        var sourceType: String
        var source: String
        var date: WallInstant
        var message: String
    }

    /// An event may be listed this long after its date.
    private static let overlap = Span.minutes(15)

    private let begin: WallInstant
    private let sources: Set<String>
    private var seen: Set<Identity> = []

    /// - Parameters:
    ///   - begin: the run's first instant; AWS's dates may be of whole seconds.
    ///   - sources: identifiers in lower case; empty: everything.
    init(begin: WallInstant, sources: Set<String>) {
        self.begin = WallInstant(nanoseconds: begin.nanoseconds / 1_000_000_000 * 1_000_000_000)
        self.sources = sources
    }

    var count: Int { seen.count }

    /// From when on events must be asked for: those that were late are asked for again.
    func since(_ now: WallInstant) -> WallInstant {
        WallInstant(nanoseconds: max(begin.nanoseconds, now.nanoseconds - Self.overlap.nanoseconds))
    }

    /// Those that were not there before, of the sources that are meant, and not from before the run.
    mutating func new(_ events: [ServiceEvent]) -> [ServiceEvent] {
        events.filter { event in
            guard event.date.nanoseconds >= begin.nanoseconds,
                sources.isEmpty || sources.contains(event.source.lowercased())
            else { return false }
            let identity = Identity(
                sourceType: event.sourceType, source: event.source, date: event.date, message: event.message)
            return seen.insert(identity).inserted
        }
    }

    /// The instant of a date, by the two clocks as they stand to each other now. AWS's clock may be ahead of ours:
    /// nothing that is known has yet to happen.
    static func instant(of date: WallInstant, now: Instant, wallClock: WallInstant) -> Instant {
        min(now, now - Span(nanoseconds: wallClock.nanoseconds - date.nanoseconds))
    }

    /// `orders (db-cluster): Completed failover to DB instance: orders-2`
    static func text(_ event: ServiceEvent) -> String {
        event.sourceType.isEmpty
            ? "\(event.source): \(event.message)" : "\(event.source) (\(event.sourceType)): \(event.message)"
    }
}
