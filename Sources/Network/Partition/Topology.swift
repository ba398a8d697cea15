internal import Basics

/// How one group is divided: who hears whom no more.
package enum Topology: String, Sendable, Hashable, Codable, CaseIterable {
    /// Two halves; of an odd number, the second is larger by one.
    case halves
    /// One against all others.
    case isolateOne = "isolate-one"
    /// The smallest majority against the rest.
    case majorityMinority = "majority-minority"
    /// Two halves that do not hear each other, and one node that both hear.
    case bridge
    /// Each node hears a majority, its neighbours in a ring, and no two hear the same.
    case ring
    /// Two halves, of which the second does not hear the first.
    case oneWay = "one-way"
    /// Each pair is cut with probability one half; at least one is.
    case random

    /// The fewest nodes that can be divided so.
    var fewest: Int {
        switch self {
        case .halves, .isolateOne, .oneWay, .random: 2
        case .majorityMinority, .bridge: 3
        case .ring: 4
        }
    }

    /// Whether there are two sides, so that a direction means something.
    var hasSides: Bool {
        switch self {
        case .halves, .isolateOne, .majorityMinority, .oneWay: true
        case .bridge, .ring, .random: false
        }
    }

    /// Nodes by index: whom each of them does not hear any more, and the division in words.
    struct Division: Hashable {
        var deaf: [[Int]]
        var text: String
    }

    /// - Parameters:
    ///   - names: one per node, at least `fewest`.
    ///   - seed: chooses which node is on which side; the same seed divides the same nodes in the same way.
    func divide(_ names: [String], _ direction: BlockDirection, seed: UInt64) -> Division {
        var generator = SeededGenerator(seed: seed)
        let order = names.indices.shuffled(using: &generator)
        let count = order.count
        switch self {
        case .halves: return sides(order, first: count / 2, direction, names)
        case .oneWay: return sides(order, first: count / 2, .to, names)
        case .isolateOne: return sides(order, first: 1, direction, names)
        case .majorityMinority: return sides(order, first: count / 2 + 1, direction, names)
        case .bridge:
            let (bridge, rest) = (order[0], Array(order.dropFirst()))
            var division = sides(rest, first: rest.count / 2, .both, names)
            division.text += ", and \(names[bridge]) hears both"
            return division
        case .ring: return ring(order, names)
        case .random: return pairs(order, names, &generator)
        }
    }

    private func sides(
        _ order: [Int], first: Int, _ direction: BlockDirection, _ names: [String]
    ) -> Division {
        let (a, b) = (order.prefix(first).sorted(), order.dropFirst(first).sorted())
        var deaf = names.map { _ in [Int]() }
        if direction != .from { for node in b { deaf[node] = a } }
        if direction != .to { for node in a { deaf[node] = b } }
        func text(_ side: [Int]) -> String { side.map { names[$0] }.joined(separator: ", ") }
        let mark =
            switch direction {
            case .both: "|"
            case .to: "-|>"
            case .from: "<|-"
            }
        return Division(deaf: deaf, text: "\(text(a)) \(mark) \(text(b))")
    }

    /// With itself, a node hears `reach` neighbours to each side: the fewest that make a majority.
    private func ring(_ order: [Int], _ names: [String]) -> Division {
        let count = order.count
        let reach = (count / 2 + 1) / 2
        var deaf = names.map { _ in [Int]() }
        for (place, node) in order.enumerated() {
            for (other, peer) in order.enumerated() where other != place {
                let distance = min((place - other + count) % count, (other - place + count) % count)
                if distance > reach { deaf[node].append(peer) }
            }
            deaf[node].sort()
        }
        return Division(deaf: deaf, text: "ring " + order.map { names[$0] }.joined(separator: " - "))
    }

    private func pairs(_ order: [Int], _ names: [String], _ generator: inout SeededGenerator) -> Division {
        var cut: [(Int, Int)] = []
        for (place, a) in order.enumerated() {
            for b in order.dropFirst(place + 1) where Bool.random(using: &generator) { cut.append((a, b)) }
        }
        if cut.isEmpty { cut = [(order[0], order[1])] }
        var deaf = names.map { _ in [Int]() }
        for (a, b) in cut {
            deaf[a].append(b)
            deaf[b].append(a)
        }
        return Division(
            deaf: deaf.map { $0.sorted() },
            text: cut.map { "\(names[$0]) | \(names[$1])" }.joined(separator: "; "))
    }
}
