internal import Basics
internal import Contracts

/// What the nodes said of themselves around a fault: who was primary, who became it, when redundancy was back.
struct RoleTimeline {
    /// The node that was primary last before the fault.
    let formerPrimary: Label?
    /// The node that first claimed to be primary after the fault without having been it before.
    private(set) var newPrimary: Label?
    /// From the last look at which it was not primary yet to the end of the first at which it was.
    private(set) var promoted: InstantRange?
    /// When as many replicas as before the fault were there again, to stay.
    private(set) var redundant: Instant?

    init(_ history: History, effect: InstantRange) {
        let samples = Self.roleSamples(history)
        formerPrimary = samples.last { $0.state == StateSample.primary && $0.end <= effect.upper }?.node
        var former = formerPrimary
        var newest = NewestLooks()
        var replicasBefore = 0
        var wasReduced = false
        var isCounted = false
        for sample in samples {
            if !isCounted && sample.sent >= effect.lower {
                replicasBefore = newest.replicas
                isCounted = true
            }
            let before = newest.take(sample)
            guard isCounted else { continue }
            notePromotion(sample, before: before, former: &former)
            if newest.primaries == 0 || newest.replicas < replicasBefore {
                wasReduced = true
                redundant = nil
            } else if wasReduced, redundant == nil, replicasBefore > 0 {
                redundant = sample.end
            }
        }
    }

    /// Looks of probes that know roles, in order of time; a probe of containers says `running` of the same nodes.
    private static func roleSamples(_ history: History) -> StateList {
        var probes: [Label] = []
        for sample in history.states where sample.state == StateSample.primary {
            if !probes.contains(where: { $0 == sample.probe }) { probes.append(sample.probe) }
        }
        return StateList(history.states) { sample in probes.contains { $0 == sample.probe } }
            .sorted(by: \.end.nanoseconds)
    }

    private mutating func notePromotion(_ sample: StateSample, before: StateSample?, former: inout Label?) {
        guard promoted == nil, sample.state == StateSample.primary, let before else { return }
        // The former primary promotes itself again only after it was seen as something else.
        guard sample.node != former || before.state != StateSample.primary else { return }
        newPrimary = sample.node
        promoted = InstantRange(before.sent, sample.end)
    }
}

/// The newest look at each node; a run has a handful of them.
private struct NewestLooks {
    private var looks: [StateSample] = []
    private(set) var primaries = 0
    private(set) var replicas = 0

    /// The look at the same node before this one.
    mutating func take(_ sample: StateSample) -> StateSample? {
        count(sample, 1)
        guard let index = looks.firstIndex(where: { $0.node == sample.node }) else {
            looks.append(sample)
            return nil
        }
        defer { looks[index] = sample }
        count(looks[index], -1)
        return looks[index]
    }

    private mutating func count(_ sample: StateSample, _ change: Int) {
        if sample.state == StateSample.primary { primaries += change }
        if sample.state == StateSample.replica { replicas += change }
    }
}
