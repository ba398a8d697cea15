import Basics
import Foundation
import Synchronization
import Testing

/// The figures of the promise, on real targets: `scripts/crash` runs it with as many runs as are asked for.
@Suite(.enabled(if: isLabWanted, "needs the Docker engine and the lab's image: SQUALL_LAB=1"))
struct CampaignLabTests {
    @Test func noCrashAtAnyMomentLeavesAnything() async throws {
        let campaign = Campaign(
            runs: Int(variable("SQUALL_CRASH_RUNS", "30")) ?? 30, jobs: Int(variable("SQUALL_CRASH_JOBS", "2")) ?? 2,
            seed: UInt64(variable("SQUALL_CRASH_SEED", "1")) ?? 1,
            damages: variable("SQUALL_CRASH_KINDS", "pause,kill,freeze").split(separator: ",").compactMap {
                Damage(rawValue: String($0))
            })
        try #require(!campaign.damages.isEmpty, "SQUALL_CRASH_KINDS names no fault: \(Damage.allCases)")
        let report = Mutex(CampaignReport())
        try await campaign.execute { index, outcome in
            let (line, progress) = report.withLock { report in
                (report.add(outcome, campaign.draw(index), index), report.progress)
            }
            if let line { show("seed \(campaign.seed) \(line)") }
            if let progress { show(progress) }
        }
        let result = report.withLock { $0 }
        show(result.text(seed: campaign.seed, jobs: campaign.jobs))
        #expect(result.failures == 0, "seed \(campaign.seed): see the lines above")
        #expect(result.crashed * 2 > campaign.runs, "most runs must have been crashed")
        // A quiet machine reacts within 20 ms (scripts/crash prints it); a busy one still keeps the promise of 1 s.
        #expect(result.restored.allSatisfy { $0 < .seconds(1) }, "\(result.restored.max() ?? .zero)")
    }

    /// At once, also into a pipe: a campaign may take an hour.
    private func show(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

    private func variable(_ name: String, _ otherwise: String) -> String {
        ProcessInfo.processInfo.environment[name] ?? otherwise
    }
}

/// What a campaign has shown so far.
struct CampaignReport {
    private(set) var runs = 0
    private(set) var crashed = 0
    private(set) var failures = 0
    private(set) var reactions: [Span] = []
    private(set) var restored: [Span] = []
    private var kinds: [String: Int] = [:]

    /// Takes an outcome; a line for a run that broke a promise.
    mutating func add(_ outcome: CampaignRun.Outcome, _ draw: Campaign.Draw, _ index: Int) -> String? {
        runs += 1
        if outcome.hasMissed { return nil }
        crashed += 1
        kinds["\(draw.damage), \(draw.death.rawValue)", default: 0] += 1
        if let reaction = outcome.reaction { reactions.append(reaction) }
        if let span = outcome.restored { restored.append(span) }
        guard !outcome.failures.isEmpty else { return nil }
        failures += 1
        return "run \(index): \(draw.damage), \(draw.moment), \(draw.death.rawValue): \(outcome.failures)"
    }

    /// A line now and then, so that a long campaign shows that it lives.
    var progress: String? { runs % 50 == 0 ? "\(runs) runs, \(failures) with a leftover or another failure" : nil }

    func text(seed: UInt64, jobs: Int) -> String {
        let mix = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " · ")
        return """
            seed \(seed), \(jobs) at a time: \(runs) runs, \(crashed) of them crashed (the others ended before their moment)
            \(mix)
            leftovers or other failures   \(failures)
            SIGKILL to the first heal     \(Self.figures(reactions))
            SIGKILL to whole again        \(Self.figures(restored))
            """
    }

    private static func figures(_ spans: [Span]) -> String {
        guard !spans.isEmpty else { return "no sample" }
        let sorted = spans.sorted()
        func percentile(_ share: Double) -> Span { sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] }
        return
            "P50 \(percentile(0.5)) · P99 \(percentile(0.99)) · max \(sorted[sorted.count - 1]) (\(sorted.count) samples)"
    }
}
