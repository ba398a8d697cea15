package import Basics

/// Whether all regions came to agree on one last write per key, and which acknowledged writes that choice discarded.
///
/// "Last" by a skewed clock can be an older write: a write that began after the winner was already acknowledged and lost
/// to it all the same is clobbered in real time, which no clock may excuse. Losing to a write that overlapped is legal
/// for last-write-wins, and is still somebody's data, so it is counted apart (`research` 1.7).
package struct Convergence: Sendable, Hashable {
    /// One attempted write of one key.
    package struct Write: Sendable, Hashable {
        package var key: String
        package var value: String
        package var interval: InstantRange
        package var isAcknowledged: Bool

        package init(key: String, value: String, interval: InstantRange, isAcknowledged: Bool = true) {
            self.key = key
            self.value = value
            self.interval = interval
            self.isAcknowledged = isAcknowledged
        }
    }

    /// What one region returned for one key after quiescence.
    package struct Read: Sendable, Hashable {
        package var key: String
        package var region: String
        package var value: String

        package init(key: String, region: String, value: String) {
            self.key = key
            self.region = region
            self.value = value
        }
    }

    /// Keys on which regions disagree, in order.
    package var diverged: [String]
    /// Keys whose agreed value nobody wrote.
    package var invented: [String]
    /// Acknowledged writes that began after the winner was acknowledged, and lost to it.
    package var clobberedInRealTime: [Write]
    /// Acknowledged writes that overlapped the winner, and lost to it.
    package var clobberedConcurrently: [Write]

    package var isConverged: Bool { diverged.isEmpty && invented.isEmpty }

    /// Judges the reads of all regions against all writes; keys without a read are not judged.
    package static func judge(writes: [Write], reads: [Read]) -> Convergence {
        var result = Convergence(diverged: [], invented: [], clobberedInRealTime: [], clobberedConcurrently: [])
        let writesByKey = Dictionary(grouping: writes, by: \.key)
        for (key, readsOfKey) in Dictionary(grouping: reads, by: \.key).sorted(by: { $0.key < $1.key }) {
            guard let value = readsOfKey.first?.value, readsOfKey.allSatisfy({ $0.value == value }) else {
                result.diverged.append(key)
                continue
            }
            guard let winner = writesByKey[key]?.first(where: { $0.value == value }) else {
                result.invented.append(key)
                continue
            }
            for loser in writesByKey[key] ?? [] where loser.isAcknowledged && loser.value != value {
                if loser.interval.lower > winner.interval.upper {
                    // Only an acknowledged winner has an end that orders it before the loser.
                    if winner.isAcknowledged { result.clobberedInRealTime.append(loser) }
                } else if loser.interval.upper >= winner.interval.lower {
                    result.clobberedConcurrently.append(loser)
                }
            }
        }
        return result
    }
}
