internal import Basics
internal import CNetlink

/// What a class of ours puts in the way of its packets: one queueing discipline with all its options.
enum Discipline: Hashable {
    /// Loses everything, and lets the sender believe that it was sent.
    case blackhole
    case tokenBucket(TokenBucket)
    case netem(NetemOptions)

    var kind: String {
        switch self {
        case .blackhole: "blackhole"
        case .tokenBucket: "tbf"
        case .netem: "netem"
        }
    }

    /// Content of TCA_OPTIONS; nil when the kind takes none.
    var options: [UInt8]? {
        switch self {
        case .blackhole: nil
        case .tokenBucket(let bucket): bucket.options
        case .netem(let netem): netem.options
        }
    }

    var isNetem: Bool {
        if case .netem = self { true } else { false }
    }

    var duplicates: Bool {
        if case .netem(let options) = self { options.impairment.duplicate > 0 } else { false }
    }
}

/// A hierarchical token bucket that shapes nothing by itself: a packet whose priority names one of its classes goes into
/// that class's discipline, every other one straight to the interface.
enum HierarchicalRoot {
    /// Packets that no class takes wait here while the interface is busy; as many as an interface has by default.
    private static let directLength = UInt32(1_000)
    /// Bytes per second that no interface reaches: 100 Gbit/s.
    private static let unlimited = UInt64(12_500_000_000)

    /// struct tc_htb_glob: version, rate2quantum, default class (0: none), debug, direct packets.
    static var rootOptions: [UInt8] {
        var list = AttributeList()
        list.put(TCA_HTB_INIT, [3, 10, 0, 0, 0].flatMap { hostOrder(UInt32($0)) })
        list.put(TCA_HTB_DIRECT_QLEN, directLength)
        return list.bytes
    }

    /// A class without a limit of its own. Link layer 1 and cell alignment -1 in both rates: no rate tables are needed.
    static var classOptions: [UInt8] {
        var list = AttributeList()
        // A rate above 2^32 stands in the attributes of 64 bits, the structure then holds the highest number there is.
        list.put(TCA_HTB_RATE64, unlimited)
        list.put(TCA_HTB_CEIL64, unlimited)
        let rate = rateSpecification(unlimited)
        // struct tc_htb_opt: rate, ceil, buffer and cbuffer in ticks, quantum in bytes, level, priority. The quantum is
        // said: derived from such a rate the kernel would warn of it.
        let rest = [ticks(1_000_000), ticks(1_000_000), 60_000, 0, 0] as [UInt32]
        list.put(TCA_HTB_PARMS, rate + rate + rest.flatMap { hostOrder($0) })
        return list.bytes
    }
}

/// struct tc_ratespec: cell_log, linklayer (1: Ethernet), overhead, cell_align, mpu, rate in bytes per second.
func rateSpecification(_ bytesPerSecond: UInt64) -> [UInt8] {
    [0, 1] + hostOrder(UInt16(0)) + hostOrder(Int16(-1)) + hostOrder(UInt16(0))
        + hostOrder(UInt32(clamping: bytesPerSecond))
}

/// Lets packets pass at a rate and makes the others wait, in a queue that holds a tenth of a second.
struct TokenBucket: Hashable {
    let bytesPerSecond: UInt64
    /// Bytes that may pass at once: those of ten milliseconds, because the kernel looks at its clock no more often than
    /// that when it is busy.
    let burst: UInt32
    /// Bytes that may wait; more are lost, as in a router.
    let limit: UInt32

    /// - Parameter largest: the longest packet of the interface with its link header; one that is longer than the burst
    ///   would never pass.
    init(_ rate: Bandwidth, largest: UInt32) {
        bytesPerSecond = UInt64(max(1, rate.bitsPerSecond / 8))
        burst = max(2 * largest, UInt32(clamping: bytesPerSecond / 100))
        limit = max(UInt32(clamping: bytesPerSecond / 10), 16 * largest)
    }

    /// struct tc_tbf_qopt: rate, peak rate (none), limit in bytes, buffer in ticks, mtu.
    var options: [UInt8] {
        var list = AttributeList()
        let buffer = ticks(Int64(clamping: UInt64(burst) * 1_000_000_000 / bytesPerSecond))
        list.put(
            TCA_TBF_PARMS,
            rateSpecification(bytesPerSecond) + [UInt8](repeating: 0, count: 12) + hostOrder(limit) + hostOrder(buffer)
                + hostOrder(UInt32(0)))
        // Only when the rate needs it: below, the kernel takes the rate of the structure.
        if bytesPerSecond > UInt64(UInt32.max) { list.put(TCA_TBF_RATE64, bytesPerSecond) }
        list.put(TCA_TBF_BURST, burst)
        return list.bytes
    }
}
