package import Basics
package import Contracts

/// A run as it stands: fed with every event, small whatever the run's length, and cheap enough for thousands a second.
package struct LiveState: Sendable {
    /// Something worth a line on the terminal.
    package struct Message: Sendable, Hashable {
        package var at: Instant
        package var level: Note.Level
        package var text: String
    }

    package let plan: LivePlan
    package private(set) var run: RunRecord?
    package private(set) var phase: Phase?
    package private(set) var phaseBegan: [Phase: Instant] = [:]
    package private(set) var faults: [FaultRecord] = []
    /// The newest messages, the newest last; at most eight.
    package private(set) var messages: [Message] = []
    /// The first proven effect.
    package private(set) var faultAt: Instant?
    package private(set) var isOver = false
    private(set) var traffic: [Label: LiveTraffic] = [:]
    private(set) var nodes: [Label: [Label: StateSample]] = [:]
    private(set) var measurements: [Label: [Label: [Label: Measurement]]] = [:]
    private var directPaths: [Label: Bool] = [:]
    private var dualSince: [Label: Instant] = [:]
    private var dualTotal: [Label: Span] = [:]

    package init(_ plan: LivePlan) {
        self.plan = plan
    }

    /// Takes an event in and returns what is worth telling about it: nothing for almost every observation.
    @discardableResult
    package mutating func apply(_ event: HistoryEvent) -> [Message] {
        let news = take(event)
        if !news.isEmpty { messages = Array((messages + news).suffix(8)) }
        return news
    }

    private mutating func take(_ event: HistoryEvent) -> [Message] {
        switch event {
        case .run(let record):
            run = record
            return [Message(at: record.startedAt, level: .info, text: "run \(record.run): \(record.title)")]
        case .phase(let phase, let at):
            self.phase = phase
            phaseBegan[phase] = phaseBegan[phase] ?? at
            return [Message(at: at, level: .info, text: "phase \(phase.rawValue)")]
        case .operation(let operation): return take(operation)
        case .state(let sample): return take(sample)
        case .measurement(let measurement):
            measurements[measurement.probe, default: [:]][measurement.metric, default: [:]][measurement.node] =
                measurement
            return []
        case .fault(let transition): return take(transition)
        case .readBack(let readBack): return [message(readBack)]
        case .stall(let stall):
            return [
                Message(
                    at: stall.to, level: .warning, text: "the prober itself stood still for \(stall.to - stall.from)")
            ]
        case .note(let note): return [Message(at: note.at, level: note.level, text: "\(note.source): \(note.message)")]
        case .steadyState(_, let held, let at, let detail):
            let word = held ? "the steady state holds" : "the steady state does not hold"
            let text = detail.isEmpty ? word : "\(word): \(detail)"
            return [Message(at: at, level: held ? .info : .warning, text: text)]
        case .aborted(let reason, let at):
            return [Message(at: at, level: .error, text: "aborted: \(reason.sentence)")]
        case .cleanUp(let leftovers, let at):
            let text =
                leftovers.isEmpty ? "clean: nothing of ours is left" : "\(leftovers.count) of our changes are left"
            return [Message(at: at, level: leftovers.isEmpty ? .info : .error, text: text)]
        case .ended(let at):
            isOver = true
            return [Message(at: at, level: .info, text: "the run has ended")]
        }
    }

    private func message(_ readBack: ReadBack) -> Message {
        let rows = readBack.present.reduce(0) { $0 + $1.count }
        let text =
            readBack.failure.isEmpty
            ? "\(readBack.probe): read back \(Figure.count(rows)) writes from \(readBack.node)"
            : "\(readBack.probe): could not read back \(readBack.node): \(readBack.failure)"
        return Message(at: readBack.at, level: readBack.failure.isEmpty ? .info : .warning, text: text)
    }

    /// After this many misses in a row a probe is said to have no success; fewer happen without an outage.
    private static let missesWorthTelling = 5

    private mutating func take(_ operation: Operation) -> [Message] {
        let probe = operation.probe
        if isDirect(operation.path) { return [] }
        let began = traffic[probe]?.missesSince
        let ended = traffic[probe, default: LiveTraffic()].append(operation, faultAt: faultAt)
        if let began, ended >= LiveState.missesWorthTelling {
            let gap = Figure.text((operation.end - began).seconds, unit: "s")
            return [Message(at: operation.end, level: .info, text: "\(probe): success again after \(gap)")]
        }
        if traffic[probe]?.misses == LiveState.missesWorthTelling {
            let reason = operation.reason.isEmpty ? "" : " (\(operation.reason))"
            let text = "\(probe): \(LiveState.missesWorthTelling) arrivals in a row without success\(reason)"
            return [Message(at: operation.end, level: .warning, text: text)]
        }
        return []
    }

    /// Direct paths to single nodes are no traffic of clients: on replicas all of it fails, as it must.
    private mutating func isDirect(_ path: Label) -> Bool {
        if let known = directPaths[path] { return known }
        let isDirect = Operation.isDirect(path)
        directPaths[path] = isDirect
        return isDirect
    }

    private mutating func take(_ sample: StateSample) -> [Message] {
        let before = nodes[sample.probe]?[sample.node]
        nodes[sample.probe, default: [:]][sample.node] = sample
        guard before?.state != sample.state else { return [] }
        var news: [Message] = []
        if let before {
            let text = "\(sample.node): \(before.state) → \(sample.state)"
            news.append(Message(at: sample.end, level: .info, text: text))
        }
        let primaries = (nodes[sample.probe] ?? [:]).values.count { $0.state == StateSample.primary }
        if primaries > 1, dualSince[sample.probe] == nil {
            dualSince[sample.probe] = sample.end
            news.append(
                Message(at: sample.end, level: .error, text: "\(sample.probe): \(primaries) nodes say they are primary")
            )
        } else if primaries < 2, let since = dualSince.removeValue(forKey: sample.probe) {
            dualTotal[sample.probe, default: .zero] += sample.end - since
        }
        return news
    }

    private mutating func take(_ transition: FaultTransition) -> [Message] {
        if let index = faults.lastIndex(where: { $0.id == transition.id }) {
            faults[index].apply(transition)
        } else if faults.count < 256 {
            faults.append(FaultRecord(transition))
        }
        let what = "\(transition.step): \(transition.kind) on \(transition.target)"
        func message(_ level: Note.Level, _ text: String) -> [Message] {
            let detail = transition.detail.isEmpty ? "" : ": \(transition.detail)"
            return [Message(at: transition.at, level: level, text: "\(what) \(text)\(detail)")]
        }
        switch transition.stage {
        case .prepared: return []
        case .injecting: return message(.info, "is being injected")
        case .active:
            if let effect = transition.effectiveAt { faultAt = min(faultAt ?? effect.upper, effect.upper) }
            return message(.info, "is effective")
        case .unproven: return message(.warning, "was injected, no effect was shown")
        case .refused: return message(.warning, "was refused")
        case .healing: return message(.info, "is being healed")
        case .healed: return message(.info, "is healed")
        case .healFailed: return message(.error, "could not be healed")
        }
    }

    // MARK: What is shown

    /// Time since the run began.
    package func elapsed(at now: Instant) -> Span { run.map { max(.zero, now - $0.startedAt) } ?? .zero }

    /// When the fault heals by itself; nil when it stays until the healing phase, or is over.
    package func healsAt(_ fault: FaultRecord) -> Instant? {
        guard fault.stage == .active, let effect = fault.effectiveAt else { return nil }
        return plan.durations[fault.step].map { effect.upper + $0 }
    }

    /// The time in which two nodes of the probe said that they are primary.
    func dualPrimary(_ probe: Label, at now: Instant) -> Span {
        (dualTotal[probe] ?? .zero) + (dualSince[probe].map { now - $0 } ?? .zero)
    }
}
