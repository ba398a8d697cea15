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
        var states: [Label: StateSample] = [:]
        var former: Label?
        var replicasBefore = 0
        var wasReduced = false
        var isCounted = false
        let samples = Self.roleSamples(history)
        formerPrimary = samples.last { $0.state == StateSample.primary && $0.end <= effect.upper }?.node
        former = formerPrimary
        for sample in samples {
            if !isCounted && sample.sent >= effect.lower {
                replicasBefore = states.values.count { $0.state == StateSample.replica }
                isCounted = true
            }
            let before = states.updateValue(sample, forKey: sample.node)
            guard isCounted else { continue }
            notePromotion(sample, before: before, former: &former)
            let isFull =
                states.values.contains { $0.state == StateSample.primary }
                && states.values.count { $0.state == StateSample.replica } >= replicasBefore
            if !isFull {
                wasReduced = true
                redundant = nil
            } else if wasReduced, redundant == nil, replicasBefore > 0 {
                redundant = sample.end
            }
        }
    }

    /// Looks of probes that know roles, in order of time; a probe of containers says `running` of the same nodes.
    private static func roleSamples(_ history: History) -> [StateSample] {
        let probes = Set(history.states.lazy.filter { $0.state == StateSample.primary }.map(\.probe))
        return history.states.filter { probes.contains($0.probe) }.sorted { $0.end < $1.end }
    }

    private mutating func notePromotion(_ sample: StateSample, before: StateSample?, former: inout Label?) {
        guard promoted == nil, sample.state == StateSample.primary, let before else { return }
        // The former primary promotes itself again only after it was seen as something else.
        guard sample.node != former || before.state != StateSample.primary else { return }
        newPrimary = sample.node
        promoted = InstantRange(before.sent, sample.end)
    }
}
