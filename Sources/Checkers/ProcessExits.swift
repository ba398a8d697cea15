package import Basics
package import Contracts

/// When the process of a node was seen to end, by the evidence of the faults that ended it.
package struct ProcessExits: Sendable {
    /// Faults whose confirmed effect is the end of everything in the target's container.
    ///
    /// Not `process.signal`: the process it ended may be the database's supervisor, with the database still at work.
    private static let kinds: Set<Label> = [
        "container.kill", "container.stop", "container.remove", "container.restart",
    ]
    /// The word with which they describe a process that is gone (`exit seen through a pidfd`); a frozen one lacks it.
    private static let word = "exit"

    private let exits: [(target: String, at: InstantRange)]

    package init(_ faults: [FaultRecord]) {
        exits = faults.compactMap { fault in
            guard Self.kinds.contains(fault.kind), fault.evidence.contains(Self.word) else { return nil }
            return fault.effectiveAt.map { (fault.target.text, $0) }
        }
    }

    /// The exits of a node's process, in order of time.
    package func of(_ node: Label) -> [InstantRange] {
        exits.filter { Self.isSame(target: $0.target, node: node.text) }.map(\.at).sorted { $0.lower < $1.lower }
    }

    /// A target names a node when it is that name or ends with it after a separator: container `lab-pg-1`, node `pg-1`.
    static func isSame(target: String, node: String) -> Bool {
        guard !node.isEmpty, target.hasSuffix(node) else { return false }
        guard let before = target.dropLast(node.count).last else { return true }
        return !before.isLetter && !before.isNumber
    }
}
