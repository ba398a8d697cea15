internal import Basics

/// How the world treats those who call: delays, failures, lies; drawn from the seed.
struct Weather: Sendable {
    /// What can be asked of the engine, the kernel or a database.
    enum Verb: String, Sendable, CaseIterable {
        case read
        case pause
        case unpause
        case kill
        case stop
        case start
        case restart
        case rule
        case unrule
        case schema

        /// It puts a fault, or something else of ours, into the system.
        var injects: Bool {
            switch self {
            case .pause, .kill, .stop, .restart, .rule, .schema: true
            case .read, .unpause, .start, .unrule: false
            }
        }
    }

    /// What becomes of one call.
    enum Fate: Sendable {
        /// It takes effect, and then the answer comes.
        case served(effect: Span, answer: Span)
        /// No effect, and an error.
        case refused(Span)
        /// It takes effect, and the answer is lost.
        case cutOff(effect: Span, error: Span)
        /// No answer at all; it takes effect late or never.
        case hangs(effect: Span?)
        /// Success is reported, and nothing was done.
        case lied(Span)
        /// The caller may not do this, for good.
        case denied(Span)
    }

    var generator: SeededGenerator
    var latency = Span.milliseconds(5)
    /// One call in so many fails in some way; nil: none.
    var failsEvery: UInt64?
    /// Verbs that lie until an instant.
    var lies: [Verb: Instant] = [:]
    /// Verbs that are denied for good.
    var denied: Set<Verb> = []
    /// When the engine does not run at all.
    var outages: [InstantRange] = []

    var isFair: Bool { failsEvery == nil && lies.isEmpty && denied.isEmpty && outages.isEmpty }

    mutating func span(upTo most: Span) -> Span {
        Span(nanoseconds: Int64(generator.next() % UInt64(max(1, most.nanoseconds))))
    }

    mutating func fate(of verb: Verb, at now: Instant) -> Fate {
        let effect = span(upTo: latency) + .microseconds(50)
        let answer = span(upTo: latency) + .microseconds(50)
        let reaches = now + effect
        if outages.contains(where: { $0.lower <= reaches && reaches <= $0.upper }) { return .refused(effect) }
        if denied.contains(verb) { return .denied(effect + answer) }
        if let until = lies[verb], reaches < until { return .lied(effect + answer) }
        guard let failsEvery, generator.next() % failsEvery == 0 else {
            return .served(effect: effect, answer: answer)
        }
        switch generator.next() % 5 {
        case 0, 1: return .refused(effect)
        case 2, 3: return .cutOff(effect: effect, error: answer)
        default: return .hangs(effect: generator.next() % 2 == 0 ? span(upTo: .seconds(20)) : nil)
        }
    }
}
