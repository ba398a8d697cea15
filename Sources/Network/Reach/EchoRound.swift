internal import Basics
internal import Glibc

/// One round of an `EchoMesh`: what has been heard so far, and who waits for the rest. Used on the mesh's thread only.
final class EchoRound {
    let number: UInt64
    /// Per attempt, CLOCK_REALTIME when its datagram left.
    var sent: [UInt64: Int64] = [:]
    var connections: [CInt: ConnectionAttempt] = [:]
    var continuation: CheckedContinuation<[EchoMesh.Reply], Never>?
    var timer: EventLoop.Timer?
    private var found: [EchoMesh.Reply?]
    /// Attempts of each pair that may still be answered.
    private var open: [Int]

    init(number: UInt64, pairs: [EchoMesh.Pair]) {
        self.number = number
        found = Array(repeating: nil, count: pairs.count)
        open = Array(repeating: 0, count: pairs.count)
    }

    /// Names one address of one pair; the other end sends it back.
    static func attempt(_ index: Int, way: Int) -> UInt64 { UInt64(index) << 16 | UInt64(way & 0xffff) }
    static func pair(of attempt: UInt64) -> Int { Int(truncatingIfNeeded: attempt >> 16) }

    var isComplete: Bool { found.allSatisfy { $0 != nil } }
    var replies: [EchoMesh.Reply] { found.map { $0 ?? .silent } }

    /// The first answer counts: it came by the fastest address.
    func settle(_ index: Int, _ reply: EchoMesh.Reply) {
        guard found.indices.contains(index) else { return }
        switch (found[index], reply) {
        case (nil, _), (.refused, .answered): found[index] = reply
        default: return
        }
    }

    /// One address of a pair was tried, or its try failed: a pair is refused when no address is left to answer.
    func noteAttempt(_ index: Int, failure: CInt, isNew: Bool = true) {
        guard open.indices.contains(index) else { return }
        if failure == 0 {
            open[index] += 1
            // Another address was refused before: this one may still answer.
            if case .refused = found[index] { found[index] = nil }
        } else {
            if !isNew { open[index] -= 1 }
            if open[index] == 0 { settle(index, .refused(failure)) }
        }
    }

    func end() {
        let waiting = continuation
        continuation = nil
        waiting?.resume(returning: replies)
    }
}
