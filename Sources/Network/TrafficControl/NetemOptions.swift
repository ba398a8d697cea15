internal import Basics
internal import CNetlink

/// netem's options for an impairment, complete: a change of an existing one keeps every attribute that is not sent, so
/// that all are, with zeros where nothing is wanted.
struct NetemOptions: Hashable {
    let impairment: Impairment

    /// Packets that an interface is thought to carry in a second. Those that wait for longer than the queue holds are
    /// lost, which nobody asked for.
    private static let packetsPerSecond = 100_000.0
    private static let mostPackets = 200_000.0
    /// Any rate keeps packets in order: each has to wait for the one before. 100 Gbit/s makes none wait long.
    private static let orderingRate = UInt64(12_500_000_000)

    /// How many packets may wait: twice as many as arrive while the longest one waits, 1,000 at least (the kernel's
    /// own default).
    var limit: UInt32 {
        let longest = (impairment.delay + impairment.jitter * 4).seconds
        return UInt32(min(max(1_000, 2 * longest * Self.packetsPerSecond), Self.mostPackets))
    }

    private var rate: UInt64 {
        if let rate = impairment.rate { return UInt64(max(1, rate.bitsPerSecond / 8)) }
        return impairment.keepsOrder && impairment.jitter > .zero ? Self.orderingRate : 0
    }

    var options: [UInt8] {
        var list = AttributeList()
        // Correlations of delay, loss and duplication with the packet before.
        list.put(TCA_NETEM_CORR, chances(impairment.delayCorrelation, impairment.loss.correlation, 0))
        list.put(TCA_NETEM_REORDER, chances(impairment.reorder, impairment.reorderCorrelation))
        list.put(TCA_NETEM_CORRUPT, chances(impairment.corrupt, 0))
        // struct tc_netem_rate: bytes per second, and overheads that Ethernet does not have.
        list.put(TCA_NETEM_RATE, hostOrder(UInt32(clamping: rate)) + [UInt8](repeating: 0, count: 12))
        list.put(TCA_NETEM_RATE64, rate)
        list.put(TCA_NETEM_ECN, UInt32(0))
        list.put(TCA_NETEM_LATENCY64, impairment.delay.nanoseconds)
        list.put(TCA_NETEM_JITTER64, impairment.jitter.nanoseconds)
        if case .bursts(let model) = impairment.loss {
            list.nest(UInt16(TCA_NETEM_LOSS)) { inner in
                // struct tc_netem_gemodel: p, r, 1 - h (what is lost when bad is 1 - h) and 1 - k (what is lost when good).
                inner.put(
                    UInt16(NETEM_LOSS_GE),
                    chances(model.becomesBad, model.becomesGood, 1 - model.lossWhenBad, model.lossWhenGood))
            }
        }
        if let table = impairment.distribution.table, impairment.jitter > .zero {
            list.put(TCA_NETEM_DELAY_DIST, table.flatMap { hostOrder($0) })
        }
        return header + list.bytes
    }

    /// struct tc_netem_qopt: latency in ticks, limit, loss, gap, duplicate, jitter in ticks.
    private var header: [UInt8] {
        // Every gap-th packet may overtake; with 1 each may, as often as the chance says.
        let gap = UInt32(impairment.reorder > 0 ? 1 : 0)
        return hostOrder(ticks(impairment.delay.nanoseconds)) + hostOrder(limit) + chances(impairment.loss.independent)
            + hostOrder(gap) + chances(impairment.duplicate) + hostOrder(ticks(impairment.jitter.nanoseconds))
    }

    /// Shares of 2^32; the highest number there is stands for always.
    private func chances(_ fractions: Double...) -> [UInt8] { fractions.flatMap { hostOrder(Self.chance($0)) } }

    static func chance(_ fraction: Double) -> UInt32 {
        let scaled = (fraction * 4_294_967_296).rounded()
        return scaled >= 4_294_967_295 ? .max : UInt32(max(0, scaled))
    }
}
