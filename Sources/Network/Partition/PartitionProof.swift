internal import Basics
internal import Contracts

/// Shows that a cut has its effect: packets of our own pass before it that do not pass after, and the ways that must stay
/// open are.
struct PartitionProof {
    /// Long enough for an answer over a slow link, short enough not to hold up the run; nothing is waited for when all
    /// has arrived.
    private static let patience = Span.milliseconds(500)

    private let undo: PartitionUndo
    private let ways: PartitionWays

    init(_ undo: PartitionUndo) {
        self.undo = undo
        ways = PartitionWays(undo.block)
    }

    /// - Parameter cut: installs and arms; returns when.
    func prove(
        _ kernel: any NetworkKernel, cut: () async throws(NetworkError) -> InstantRange
    ) async throws(NetworkError) -> Effect {
        let block = undo.block
        let before = try await kernel.passing(ways.answered, of: block.members, within: Self.patience)
        let leaving = try await kernel.leaving(ways.counted, of: block.members)
        let armed = try await cut()
        for (member, cut) in zip(block.members, block.cuts) where !cut.isEmpty {
            let count = try await kernel.elements(of: block.mark, in: member) ?? 0
            if count == 0 { return .unproven("no address is blocked in \(member.name) after it was cut off") }
        }
        let after = try await kernel.passing(ways.answered, of: block.members, within: Self.patience)
        let stopped = try await kernel.stopped(ways.counted, of: block.members, mark: block.mark)
        return judge(before, after, leaving: leaving, stopped: stopped, armed)
    }

    private func judge(
        _ before: Set<Int>, _ after: Set<Int>, leaving: Set<Int>, stopped: Set<Int>, _ armed: InstantRange
    ) -> Effect {
        let wasOpen = before.intersection(ways.closing)
        guard !wasOpen.isEmpty || !leaving.isEmpty else {
            return .unproven(ways.silence ?? "nothing passed between the two sides before they were cut off")
        }
        if let leak = after.intersection(ways.closing).min() {
            return .unproven("packets still pass from \(text(ways.answered[leak])) after they were cut off")
        }
        if let uncounted = leaving.subtracting(stopped).min() {
            return .unproven("no rule met the packets from \(text(ways.counted[uncounted]))")
        }
        let staying = before.subtracting(ways.closing)
        if let first = staying.subtracting(after).min() {
            return .unproven("nothing passes from \(text(ways.answered[first])) any more, which was to stay open")
        }
        return .confirmed(armed, evidence: evidence(wasOpen.count, staying.count, leaving.count, armed))
    }

    private func evidence(_ wasOpen: Int, _ staying: Int, _ counted: Int, _ armed: InstantRange) -> String {
        var parts = ["\(undo.layout)\(undo.seed.map { " (seed \($0))" } ?? ""): the rules are read back"]
        if wasOpen > 0 {
            parts.append("\(wasOpen) of \(ways.closing.count) ways (\(ways.method)) passed before and none does now")
        }
        if counted > 0 {
            parts.append("packets on \(counted) ways out left before and are now stopped by a rule that counts them")
        }
        parts.append("switched within \(armed.upper - armed.lower)")
        if staying > 0 { parts.append("\(staying) other ways still pass") }
        return parts.joined(separator: "; ")
    }

    /// `pg-1 to pg-2 10.0.0.2`
    private func text(_ path: ProbePath) -> String {
        let names = undo.block.members.map(\.name)
        return "\(names[path.from]) to \(path.to.map { names[$0] + " " } ?? "")\(path.address)"
    }
}
