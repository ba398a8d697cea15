internal import Basics
internal import Glibc

/// How an impairment is shown: how many packets, how far apart, and how long to wait for them.
struct EffectPlan: Hashable {
    /// More would hold up the run; a share too small for so many packets is not shown.
    static let mostPackets = 20_000
    /// The chance that an effect that is there is not seen once.
    private static let blind = 1e-4
    /// How far a count may be off by chance: one in 150,000 is further.
    static let deviations = 4.5

    let count: Int
    let spacing: Span
    let payload: Int
    let patience: Span
    let quiet: Span

    init(_ impairment: Impairment) {
        let shares = [
            impairment.loss.independent, impairment.duplicate, impairment.corrupt, impairment.reorder,
        ]
        var wanted = shares.filter { $0 > 0 }.map { Self.packets(toSee: $0) }
        if case .bursts(let model) = impairment.loss {
            wanted.append(min(Self.mostPackets, max(500, Int((30 * model.cycle).rounded(.up)))))
        }
        if impairment.delay > .zero || impairment.jitter > .zero { wanted.append(100) }
        let most = wanted.max() ?? 50
        // Corruption of one bit is seen in what was sent: the more of a packet is ours, the more of it is.
        payload = impairment.corrupt > 0 ? 1_200 : 64
        var spacing = Span.zero
        if impairment.delay > .zero || impairment.reorder > 0 { spacing = most <= 500 ? .milliseconds(1) : .zero }
        if let rate = impairment.rate, impairment.needsNetem {
            // Slower than the link, so that what is measured is not the link's queue.
            let bits = Double((payload + 60) * 8)
            spacing = max(spacing, Span(seconds: min(0.05, 2 * bits / Double(rate.bitsPerSecond))))
        }
        self.spacing = spacing
        // At most three seconds of packets.
        count = spacing > .zero ? min(most, max(20, Int(3_000_000_000 / max(1, spacing.nanoseconds)))) : most
        let longest = impairment.delay + impairment.jitter * 4
        patience = longest + .milliseconds(150)
        quiet = impairment.duplicate > 0 ? .milliseconds(5) + impairment.jitter * 4 : .milliseconds(2)
    }

    /// So many that it is almost certain to be seen, and that its share is known to a fifth.
    static func packets(toSee share: Double) -> Int {
        guard share < 1 else { return 50 }
        let once = log(blind) / log(1 - share)
        let known = 25 * (1 - share) / share
        return min(mostPackets, max(200, Int(max(once, known).rounded(.up))))
    }
}

/// Judges what was seen of our own packets by what an impairment does; pure.
struct EffectJudge {
    let impairment: Impairment
    /// How often a packet goes through the impairment: twice when an answer does, too.
    let passes: Int

    /// What shows the effect, or why it is not shown.
    enum Finding: Hashable {
        case shown(String)
        case missing(String)
    }

    func judge(_ before: FlowObservation, _ after: FlowObservation) -> Finding {
        guard before.lost * 5 <= before.sent, !before.arrivals.isEmpty else {
            return .missing("only \(before.sent - before.lost) of \(before.sent) packets arrived before")
        }
        var shown: [String] = []
        for check in [loss, corruption, duplication, delay, order] {
            switch check(before, after) {
            case .shown(let text): shown.append(text)
            case .missing(let text): return .missing(text)
            case nil: continue
            }
        }
        return shown.isEmpty ? .missing("nothing of it can be seen") : .shown(shown.joined(separator: ", "))
    }

    // MARK: Shares

    /// The share that is hit at least once on its passes.
    private func overall(_ share: Double) -> Double { 1 - pow(1 - share, Double(passes)) }

    private func loss(_ before: FlowObservation, _ after: FlowObservation) -> Finding? {
        let share = overall(impairment.loss.share)
        // An answer whose checksum is wrong is not delivered: corruption counts as loss there.
        let corrupted = passes > 1 || after.corrupted == 0 && impairment.corrupt > 0 ? overall(impairment.corrupt) : 0
        guard share > 0 else { return nil }
        // Neighbours in a burst share their fate: such a sample says less.
        var inflation = 1.0
        if case .bursts(let model) = impairment.loss {
            let memory = min(0.999, abs(1 - model.becomesBad - model.becomesGood))
            inflation = (1 + memory) / (1 - memory)
        }
        inflation *= (1 + impairment.loss.correlation) / max(0.01, 1 - impairment.loss.correlation)
        // Correlation makes rare losses rarer; only that there are some is certain then.
        let isLoose = impairment.loss.correlation > 0
        return check(
            "lost", after.lost, of: after.sent, share: share + corrupted, inflation: inflation, isLoose: isLoose)
    }

    private func corruption(_ before: FlowObservation, _ after: FlowObservation) -> Finding? {
        guard impairment.corrupt > 0 else { return nil }
        let hit = after.corrupted + (impairment.loss.share == 0 ? after.lost : 0)
        return check(
            "corrupted", hit, of: after.sent, share: overall(impairment.corrupt), isLoose: impairment.loss.share > 0)
    }

    private func duplication(_ before: FlowObservation, _ after: FlowObservation) -> Finding? {
        guard impairment.duplicate > 0 else { return nil }
        let share = passes > 1 ? pow(1 + impairment.duplicate, Double(passes)) - 1 : impairment.duplicate
        return check(
            "duplicated", after.duplicates, of: after.sent - after.lost, share: share,
            isLoose: impairment.loss.share > 0 || impairment.corrupt > 0)
    }

    private func order(_ before: FlowObservation, _ after: FlowObservation) -> Finding? {
        guard impairment.reorder > 0 else { return nil }
        let limit = impairment.delay.seconds / 2
        let early = after.latencies.filter { $0 < limit }.count
        return check(
            "overtook the others", early, of: after.latencies.count, share: impairment.reorder,
            isLoose: impairment.reorderCorrelation > 0 || passes > 1)
    }

    /// - Parameter isLoose: the share is not known exactly; one that is there must be seen.
    private func check(
        _ what: String, _ count: Int, of total: Int, share: Double, inflation: Double = 1, isLoose: Bool = false
    ) -> Finding? {
        guard total > 0 else { return .missing("no packet was left to be \(what)") }
        let measured = Double(count) / Double(total)
        let text = "\(count) of \(total) packets \(what) (\(percent(measured)) for \(percent(share)))"
        if count == 0 { return .missing(text) }
        let spread =
            EffectPlan.deviations * (max(share * (1 - min(share, 1)), 0) * inflation / Double(total)).squareRoot()
        // Half a packet for counting; a part of what is corrupted hits bytes that nobody looks at.
        let slack = 1.0 / Double(total) + (what == "corrupted" ? 0.1 * share : 0)
        let isNear = abs(measured - share) <= spread + slack
        return isNear || isLoose ? .shown(text) : .missing(text)
    }

    // MARK: Delay

    private func delay(_ before: FlowObservation, _ after: FlowObservation) -> Finding? {
        guard impairment.delay > .zero || impairment.jitter > .zero else { return nil }
        // Those that are not delayed by way of reordering say nothing here.
        let least = impairment.reorder > 0 ? impairment.delay.seconds / 2 : 0
        let latencies = after.latencies.filter { $0 >= least }
        guard latencies.count >= 5 else { return .missing("only \(latencies.count) delayed packets arrived") }
        let (mean, deviation) = Self.moments(latencies)
        let (base, _) = Self.moments(before.latencies)
        let wanted = impairment.delay.seconds * Double(passes)
        let jitter = impairment.jitter.seconds * Double(passes)
        let memory = (1 + impairment.delayCorrelation) / max(0.01, 1 - impairment.delayCorrelation)
        let spread = EffectPlan.deviations * jitter * (memory / Double(latencies.count)).squareRoot()
        // The kernel never sends early; late it is on a busy machine, and when each has to wait for the one before.
        let late = 0.05 + wanted / 10 + (impairment.keepsOrder || impairment.rate != nil ? 4 * jitter + 0.5 : 0)
        // Jitter cannot make a delay negative: a jitter above the delay lifts the mean.
        let lifted = jitter > wanted ? jitter : 0
        let text =
            "delayed by \(Self.text(mean - base)) on average (from \(Self.text(latencies.min() ?? 0)) to "
            + "\(Self.text(latencies.max() ?? 0)), deviation \(Self.text(deviation))) where it was \(Self.text(base))"
        let isThere = mean - base >= wanted - spread - 0.0005 && mean - base <= wanted + spread + late + lifted
        let isMore = mean > base + 0.0001 || wanted < 0.0002
        return isThere && isMore ? .shown(text) : .missing("\(text), for \(Self.text(wanted))")
    }

    private static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, values.count))
        return (mean, square.squareRoot())
    }

    private static func text(_ seconds: Double) -> String { "\(Span(seconds: seconds))" }
}
