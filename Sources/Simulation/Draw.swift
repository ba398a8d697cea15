internal import Basics

/// Choices drawn from a seed, in the order in which they are asked for.
struct Draw: Sendable {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func number(_ range: Range<Int>) -> Int {
        range.lowerBound + Int(generator.next() % UInt64(max(1, range.count)))
    }

    mutating func chance(_ percent: Int) -> Bool { number(0..<100) < percent }

    mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[number(0..<elements.count)]
    }

    /// Between two spans, to the millisecond.
    mutating func span(_ from: Span, _ to: Span) -> Span {
        .milliseconds(Int64(number(Int(from.milliseconds)..<Int(to.milliseconds) + 1)))
    }

    mutating func seed() -> UInt64 { generator.next() }
}
