internal import Basics
package import Contracts

/// A selection of a history's operations or looks in an order of its own: four bytes for each, nothing is copied.
///
/// A ten-minute run at 1,000 observations per second holds 40 MB of operations; every checker looks at all of them.
package struct ObservationList<Observation: Sendable>: RandomAccessCollection, Sendable {
    private let all: [Observation]
    private var order: [Int32]

    package init(_ all: [Observation], where isIncluded: (Observation) -> Bool) {
        self.all = all
        order = []
        order.reserveCapacity(all.count)
        for index in all.indices where isIncluded(all[index]) { order.append(Int32(index)) }
    }

    private init(_ all: [Observation], _ order: [Int32]) {
        self.all = all
        self.order = order
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { order.count }
    package subscript(position: Int) -> Observation { all[Int(order[position])] }

    package func selecting(_ isIncluded: (Observation) -> Bool) -> ObservationList {
        ObservationList(all, order.filter { isIncluded(all[Int($0)]) })
    }

    /// Ascending by `key`, ties in order of arrival; histories are nearly sorted, so that is checked first.
    package func sorted(by key: (Observation) -> Int64) -> ObservationList {
        let inOrder = order.indices.dropFirst().allSatisfy { key(all[Int(order[$0 - 1])]) <= key(all[Int(order[$0])]) }
        if inOrder { return self }
        return ObservationList(
            all,
            order.sorted { left, right in
                let (leftKey, rightKey) = (key(all[Int(left)]), key(all[Int(right)]))
                return leftKey == rightKey ? left < right : leftKey < rightKey
            })
    }

    /// The observations at these positions of this list.
    func at(_ positions: [Int32]) -> ObservationList {
        ObservationList(all, positions.map { order[Int($0)] })
    }

    /// Cut up by node, in order of first appearance. A run has a handful of nodes: the list of them is looked through.
    func byNode(_ node: (Observation) -> Label) -> [(node: Label, list: ObservationList)] {
        var groups: [(node: Label, order: [Int32])] = []
        for index in order {
            let node = node(all[Int(index)])
            if let group = groups.firstIndex(where: { $0.node == node }) {
                groups[group].order.append(index)
            } else {
                groups.append((node, [index]))
            }
        }
        return groups.map { ($0.node, ObservationList(all, $0.order)) }
    }
}

package typealias OperationList = ObservationList<Operation>
package typealias StateList = ObservationList<StateSample>
