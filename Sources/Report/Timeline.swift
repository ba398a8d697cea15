package import Basics
package import Contracts

/// One thing worth telling about a run, with its time: the event log of every output.
package struct TimelineEntry: Sendable, Hashable {
    package enum Topic: String, Sendable, Hashable, CaseIterable {
        case phase
        case fault
        case role
        case traffic
        case steadyState = "steady state"
        case prober
        case cleanUp = "clean-up"
        case note
    }

    package var at: Instant
    package var topic: Topic
    package var level: Note.Level
    package var source: String
    package var message: String

    /// All entries in order of time; at most `limit`, the least important left out first.
    package static func all(
        _ verdict: RunVerdict, _ history: History, paths: [PathStatistics], lanes: [RoleLane], limit: Int = 500
    ) -> [TimelineEntry] {
        var entries = phases(history) + faults(history) + roles(lanes) + traffic(paths) + readBacks(history)
        entries += history.notes.map {
            TimelineEntry(at: $0.at, topic: .note, level: $0.level, source: $0.source.text, message: $0.message)
        }
        entries += verdict.leftovers.map {
            TimelineEntry(
                at: verdict.endedAt, topic: .cleanUp, level: .error, source: $0.target,
                message: "left behind: \($0.description)")
        }
        if entries.count > limit {
            let worst = entries.indices.sorted { (entries[$1].rank, $0) < (entries[$0].rank, $1) }.prefix(limit)
            entries = worst.sorted().map { entries[$0] }
        }
        return entries.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element)
    }

    /// Higher is more important.
    package var rank: Int {
        switch level {
        case .error: 3
        case .warning: 2
        case .info: topic == .note || topic == .role ? 0 : 1
        }
    }

    private static func phases(_ history: History) -> [TimelineEntry] {
        var entries = history.phases.map {
            TimelineEntry(
                at: $0.at, topic: .phase, level: .info, source: "controller", message: "phase \($0.phase.rawValue)")
        }
        entries += history.steadyStates.map {
            let word = $0.held ? "the steady state holds" : "the steady state does not hold"
            return TimelineEntry(
                at: $0.at, topic: .steadyState, level: $0.held ? .info : .warning, source: $0.phase.rawValue,
                message: $0.detail.isEmpty ? word : "\(word): \($0.detail)")
        }
        entries += history.stalls.map {
            TimelineEntry(
                at: $0.from, topic: .prober, level: .warning, source: "prober",
                message: "the prober itself stood still for \($0.to - $0.from); this time says nothing about the system"
            )
        }
        if let abort = history.abort {
            entries.append(
                TimelineEntry(
                    at: abort.at, topic: .phase, level: .error, source: "controller",
                    message: "aborted: \(abort.reason.sentence)"))
        }
        return entries
    }

    private static func faults(_ history: History) -> [TimelineEntry] {
        history.faults.flatMap { fault in
            var entries: [TimelineEntry] = []
            func add(_ at: Instant?, _ level: Note.Level, _ message: String) {
                guard let at else { return }
                let source = fault.step.text
                entries.append(TimelineEntry(at: at, topic: .fault, level: level, source: source, message: message))
            }
            let what = "\(fault.kind) on \(fault.target)"
            add(fault.injectedAt, .info, "injecting \(what)")
            add(
                fault.effectiveAt?.upper, .info,
                "\(what) is effective" + (fault.evidence.isEmpty ? "" : ": \(fault.evidence)"))
            add(fault.healedAt, .info, "\(what) healed, clean state read back")
            if !fault.failure.isEmpty {
                let level: Note.Level = fault.stage == .healFailed ? .error : .warning
                let at = fault.injectedAt ?? history.phases.last?.at ?? history.run?.startedAt
                add(at, level, "\(what) \(fault.stage.words): \(fault.failure)")
            }
            return entries
        }
    }

    private static func roles(_ lanes: [RoleLane]) -> [TimelineEntry] {
        lanes.flatMap { lane in
            zip(lane.stretches, lane.stretches.dropFirst()).map { before, after in
                let generation = after.generation.map { ", generation \($0)" } ?? ""
                let detail = after.detail.isEmpty ? "" : " (\(after.detail))"
                let change = before.state == after.state ? "still \(after.state)" : "\(before.state) → \(after.state)"
                return TimelineEntry(
                    at: after.from, topic: .role, level: .info, source: lane.probe.text,
                    message: "\(lane.node): \(change)\(generation)\(detail)")
            }
        }
    }

    private static func traffic(_ paths: [PathStatistics]) -> [TimelineEntry] {
        paths.flatMap { path in
            path.gaps.prefix(3).flatMap { gap -> [TimelineEntry] in
                let source = path.path.isEmpty ? path.probe.text : "\(path.probe), \(path.path)"
                let began = TimelineEntry(
                    at: gap.from, topic: .traffic, level: .warning, source: source,
                    message: "first of \(Figure.count(gap.arrivals)) arrivals in a row without success")
                guard let to = gap.to else { return [began] }
                let ended = TimelineEntry(
                    at: to, topic: .traffic, level: .info, source: source,
                    message: "first success after \(Figure.text((to - gap.from).seconds, unit: "s"))")
                return [began, ended]
            }
        }
    }

    private static func readBacks(_ history: History) -> [TimelineEntry] {
        history.readBacks.map { readBack in
            let rows = readBack.present.reduce(0) { $0 + $1.count }
            let role = readBack.isAuthoritative ? ", the node clients reach" : ""
            let message =
                readBack.failure.isEmpty
                ? "read back \(readBack.node)\(role): \(Figure.count(rows)) writes present (\(readBack.stage.rawValue))"
                : "could not read back \(readBack.node)\(role): \(readBack.failure)"
            return TimelineEntry(
                at: readBack.at, topic: .traffic, level: readBack.failure.isEmpty ? .info : .warning,
                source: readBack.probe.text, message: message)
        }
    }
}

extension AbortReason {
    /// The reason as the end of a sentence.
    package var sentence: String {
        switch self {
        case .signal(let number): "signal \(number)"
        case .stopCondition(let text): "stop condition: \(text)"
        case .steadyStateNotReached(let text): "steady state not reached: \(text)"
        case .injectionFailed(let text): "injection failed: \(text)"
        case .maxDurationReached: "the longest duration allowed was reached"
        case .refused(let text): "refused: \(text)"
        case .environment(let text): "environment: \(text)"
        case .controllerDied(let text): "controller died: \(text)"
        }
    }
}

extension FaultStage {
    /// The stage as people say it.
    package var words: String {
        switch self {
        case .prepared: "prepared"
        case .injecting: "being injected"
        case .active: "active"
        case .unproven: "not proven"
        case .refused: "refused"
        case .healing: "being healed"
        case .healed: "healed"
        case .healFailed: "not healed"
        }
    }
}
