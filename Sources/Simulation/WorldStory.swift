internal import Basics
internal import Contracts
internal import Experiment
internal import Journal
internal import Synchronization

/// A run told from its beginning, for whoever looks into a violation.
enum WorldStory {
    static func tell(_ stage: WorldStage, _ inspection: WorldInspection) -> [String] {
        var lines: [(at: Instant, text: String)] = []
        for transition in stage.system.at({ $0.transitions }) {
            lines.append((transition.at, "world      \(transition.container) \(transition.change.rawValue)"))
        }
        let truth = stage.system.at { $0.cluster.truth }
        for outage in truth.outages {
            lines.append((outage.lower, "world      service away"))
            if outage.upper < ClusterTruth.open { lines.append((outage.upper, "world      service back")) }
        }
        for dual in truth.duals { lines.append((dual.lower, "world      two primaries for \(dual.width)")) }
        for promotion in truth.promotions { lines.append((promotion, "world      promotion")) }
        let history = inspection.history
        for (phase, at) in history.phases { lines.append((at, "run        \(phase.rawValue)")) }
        for note in history.notes { lines.append((note.at, "note       \(note.source): \(note.message)")) }
        for state in history.steadyStates { lines.append((state.at, "steady     \(state.held): \(state.detail)")) }
        if let abort = history.abort { lines.append((abort.at, "abort      \(abort.reason)")) }
        let (records, synced) = stage.disk.state.withLock { ($0.records, $0.synced) }
        for (index, record) in records.enumerated() {
            let (at, text) = describe(record)
            lines.append((at ?? WorldPlan.start, "journal    \(text)\(index < synced ? "" : " (not synced)")"))
        }
        let sorted = lines.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        return head(stage) + sorted.map { "\(stamp($0.element.at))  \($0.element.text)" } + tail(stage, inspection)
    }

    private static func stamp(_ instant: Instant) -> String {
        let seconds = decimal((instant - WorldPlan.start).seconds, places: 4)
        return String(repeating: " ", count: max(0, 10 - seconds.count)) + seconds
    }

    private static func head(_ stage: WorldStage) -> [String] {
        let plan = stage.plan
        return [
            "seed \(plan.seed): trouble \(plan.trouble), local \(plan.isLocal), cluster \(plan.character)",
            "weather: latency \(plan.weather.latency), fails every \(String(describing: plan.weather.failsEvery)), "
                + "lies \(plan.weather.lies.map { "\($0.key) until \(stamp($0.value))" }), denied \(plan.weather.denied), "
                + "outages \(plan.weather.outages.map { "\(stamp($0.lower)) to \(stamp($0.upper))" }), "
                + "removal \(String(describing: plan.removal)), probes \(plan.probes)",
        ]
            + plan.experiment.method.map { step in
                "step \(step.name): \(step.fault.kind) on \(step.targets.map(\.value)), duration "
                    + "\(String(describing: step.duration)), after \(String(describing: step.startAfter)) + \(step.delay)"
            }
    }

    private static func tail(_ stage: WorldStage, _ inspection: WorldInspection) -> [String] {
        let findings = stage.findings.withLock { $0 }
        return inspection.history.faults.map { fault in
            let effect = fault.effectiveAt.map { "\(stamp($0.lower)) to \(stamp($0.upper))" } ?? "none"
            return "fault \(fault.id) \(fault.kind) on \(fault.target): \(fault.stage), effect \(effect), "
                + "\(fault.evidence) \(fault.failure)"
        }
            + inspection.results.map { "\($0.name): \($0.verdict) [\($0.lower ?? -1), \($0.upper ?? -1)] \($0.reason)" }
            + [
                "verdict \(inspection.verdict), exit code \(inspection.exitCode), controller "
                    + "\(String(describing: findings.controllerLeftovers)), takeovers \(findings.takeovers), "
                    + "failures \(findings.failures)"
            ]
    }

    private static func describe(_ record: JournalRecord) -> (Instant?, String) {
        switch record {
        case .opened: (nil, "opened")
        case .intent(let intent): (intent.at, "intent \(intent.id) \(intent.kind) on \(intent.targetName)")
        case .active(let id, let at): (at, "active \(id)")
        case .healing(let id, let at): (at, "healing \(id)")
        case .healed(let id, let at): (at, "healed \(id)")
        case .healFailed(let id, let reason, let at): (at, "heal failed \(id): \(reason)")
        case .relieved(let id, let at): (at, "relieved \(id)")
        case .closed(let at): (at, "closed")
        }
    }
}
