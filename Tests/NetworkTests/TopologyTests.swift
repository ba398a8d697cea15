import Testing

@testable import Network

/// Who hears whom in a group that is divided.
@Suite struct TopologyTests {
    private func divide(_ topology: Topology, _ count: Int, seed: UInt64 = 7, _ direction: BlockDirection = .both)
        -> [Set<Int>]
    {
        topology.divide((0..<count).map { "n\($0)" }, direction, seed: seed).deaf.map(Set.init)
    }

    /// Groups of nodes that hear each other, over any number of steps.
    private func components(_ deaf: [Set<Int>]) -> [Int] {
        var rest = Set(deaf.indices)
        var sizes: [Int] = []
        while let start = rest.min() {
            var found: Set<Int> = []
            var next = [start]
            while let node = next.popLast() {
                guard found.insert(node).inserted else { continue }
                next += deaf.indices.filter { !deaf[node].contains($0) && !deaf[$0].contains(node) }
            }
            sizes.append(found.count)
            rest.subtract(found)
        }
        return sizes.sorted()
    }

    @Test(arguments: [
        (Topology.halves, 2, [1, 1]), (.halves, 5, [2, 3]), (.halves, 6, [3, 3]), (.isolateOne, 3, [1, 2]),
        (.isolateOne, 7, [1, 6]), (.majorityMinority, 3, [1, 2]), (.majorityMinority, 4, [1, 3]),
        (.majorityMinority, 6, [2, 4]),
    ])
    func theSidesHaveTheirSizesAndDoNotHearEachOther(topology: Topology, count: Int, sizes: [Int]) {
        for seed in 0..<20 as Range<UInt64> {
            let deaf = divide(topology, count, seed: seed)
            #expect(components(deaf) == sizes)
            for (node, peers) in deaf.enumerated() {
                for peer in peers { #expect(deaf[peer].contains(node)) }
                #expect(!peers.contains(node))
            }
        }
    }

    @Test(arguments: [3, 4, 5, 8])
    func aBridgeHearsAllAndIsAllThatTheHalvesShare(count: Int) {
        let deaf = divide(.bridge, count)
        let bridges = deaf.indices.filter { deaf[$0].isEmpty }
        #expect(bridges.count == 1)
        // Without the bridge, the rest falls into two halves.
        let rest = deaf.indices.filter { $0 != bridges[0] }
        let sizes = Set(rest.map { node in rest.count { !deaf[node].contains($0) } })
        #expect(sizes == [(count - 1) / 2, count - 1 - (count - 1) / 2])
    }

    @Test(arguments: [4, 5, 6, 7, 9])
    func inARingEachHearsAMajorityAndNoTwoTheSame(count: Int) {
        let deaf = divide(.ring, count)
        let heard = deaf.map { peers in Set(deaf.indices).subtracting(peers) }
        for (node, set) in heard.enumerated() {
            #expect(set.contains(node))
            #expect(set.count > count / 2)
            #expect(set.count < count)
        }
        #expect(Set(heard).count == count)
    }

    @Test func oneWayCutsOneDirectionAlone() {
        let deaf = divide(.oneWay, 5)
        #expect(deaf.count { $0.isEmpty } == 2)
        #expect(deaf.count { $0.count == 2 } == 3)
    }

    @Test func aDirectionKeepsTheOtherWay() {
        let (to, from) = (divide(.halves, 4, .to), divide(.halves, 4, .from))
        #expect(to.count { $0.isEmpty } == 2)
        #expect(from.count { $0.isEmpty } == 2)
        #expect(zip(to, from).allSatisfy { $0.isEmpty != $1.isEmpty })
    }

    @Test func theSameSeedDividesInTheSameWayAndAnotherInAnother() {
        for topology in Topology.allCases {
            #expect(divide(topology, 6, seed: 3) == divide(topology, 6, seed: 3))
        }
        let drawn = Set((0..<30).map { divide(.isolateOne, 6, seed: $0).firstIndex { $0.count == 5 } })
        #expect(drawn.count == 6)
    }

    @Test func randomCutsAtLeastOnePairAndBothWays() {
        for seed in 0..<200 as Range<UInt64> {
            let deaf = divide(.random, 2, seed: seed)
            #expect(deaf == [[1], [0]])
        }
        let cut = (0..<200).map { seed in divide(.random, 5, seed: seed).reduce(0) { $0 + $1.count } / 2 }
        // Ten pairs with probability one half: the mean of 200 draws lies within 5 ± 0.5 (more than four deviations).
        #expect((900...1_100).contains(cut.reduce(0, +)))
    }

    @Test func theDivisionIsSaidInWords() {
        let names = ["pg-1", "pg-2", "pg-3"]
        let text = Topology.isolateOne.divide(names, .both, seed: 1).text
        #expect(text.split(separator: " | ").count == 2)
        #expect(Topology.bridge.divide(names, .both, seed: 1).text.hasSuffix("hears both"))
        #expect(Topology.oneWay.divide(names, .both, seed: 1).text.contains(" -|> "))
    }
}
