package import Basics
package import Contracts

/// When the process of a node was seen to end, by the evidence of the faults that ended it.
package struct ProcessExits: Sendable {
    /// Faults whose confirmed effect is the end of the target's process.
    private static let kinds: Set<Label> = [
        "container.kill", "container.stop", "container.remove", "container.restart", "process.signal",
    ]
    /// The word with which those faults describe a process that is gone; a stopped or frozen one lacks it.
    private static let word = "exited"

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
