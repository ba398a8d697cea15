internal import Basics

/// What really happened to the cluster: against this every figure of a verdict is held.
struct ClusterTruth: Sendable {
    /// When clients were without service; the last one may be open.
    private(set) var outages: [InstantRange] = []
    /// When two nodes believed to be primary at once, reachable or not, and could be known to.
    private(set) var duals: [InstantRange] = []
    var promotions: [Instant] = []
    /// Writes that the cluster has acknowledged, whether or not the client heard of it.
    var acknowledged: [Int64] = []
    /// Acknowledged writes that were gone at the final read; nil: nobody read, or not from the newest primary.
    private(set) var lostAtRead: Int?
    private var downSince: Instant?
    private var dualSince: Instant?

    static let open = Instant(nanoseconds: .max)

    mutating func note(isServing: Bool, primaries: Int, at now: Instant) {
        switch (downSince, isServing) {
        case (nil, false):
            downSince = now
            outages.append(InstantRange(now, Self.open))
        case (let since?, true):
            downSince = nil
            outages[outages.count - 1] = InstantRange(since, now)
        case (nil, true), (_?, false): break
        }
        switch (dualSince, primaries > 1) {
        case (nil, true):
            dualSince = now
            duals.append(InstantRange(now, Self.open))
        case (let since?, false):
            dualSince = nil
            duals[duals.count - 1] = InstantRange(since, now)
        case (nil, false), (_?, true): break
        }
    }

    mutating func note(lost: Int, isCurrent: Bool) { lostAtRead = isCurrent ? lost : nil }
}
