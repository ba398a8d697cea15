internal import Basics

/// How an impairment is made: a share of the packets is led into a class that loses them, the rest into one that delays
/// or slows them. Without netem that is all there is; with it, netem does everything in one place.
struct ShapePlan: Hashable {
    /// Which packets are lost before anything else happens to them.
    let lost: Double
    private let impairment: Impairment

    init(_ impairment: Impairment) {
        self.impairment = impairment
        lost = impairment.needsNetem ? 0 : impairment.loss.independent
    }

    /// Whether what is not lost goes through a discipline, too.
    var isShaping: Bool { impairment.needsNetem || impairment.rate != nil }

    /// - Parameter largest: the longest packet of the interface with its link header.
    func discipline(largest: UInt32) -> Discipline? {
        if impairment.needsNetem { return .netem(NetemOptions(impairment: impairment)) }
        return impairment.rate.map { .tokenBucket(TokenBucket($0, largest: largest)) }
    }
}
