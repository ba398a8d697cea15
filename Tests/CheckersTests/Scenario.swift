import Basics
import Checkers
import Contracts
import Experiment

/// Seconds on the virtual clock of a scenario.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64((seconds * 1e9).rounded())) }

/// A synthetic run whose truth is known: the observations that a perfect prober would have made of it.
struct Scenario {
    var history = History()
    static let probe: Label = "orders"

    /// How operations behave while the service is down.
    enum Failure {
        /// An answer within a millisecond: certainly not done.
        case fast
        /// No answer until the client gives up.
        case hangs(Span)
        /// The answer comes when the service is back.
        case waits
    }

    init(phases: Bool = true) {
        if phases { history.append(.phase(.injecting, at: at(1))) }
    }

    /// A fault whose effect began within the interval.
    mutating func fault(
        _ from: Double, _ to: Double? = nil, step: Label = "kill", kind: Label = "container.kill",
        target: Label = "pg-1", evidence: String = "process 4711 exited", healed: Double? = nil, id: String = "f1"
    ) {
        func transition(_ stage: FaultStage, _ at: Instant, _ effect: InstantRange? = nil, _ detail: String = "") {
            history.append(
                .fault(
                    FaultTransition(
                        id: id, step: step, kind: kind, target: target, stage: stage, at: at, effectiveAt: effect,
                        detail: detail)))
        }
        let upper = at(to ?? from)
        transition(.injecting, at(from))
        transition(.active, upper, InstantRange(at(from), upper), evidence)
        if let healed { transition(.healed, at(healed)) }
    }

    mutating func unprovenFault(_ seconds: Double, stage: FaultStage = .unproven) {
        for (stage, detail) in [(FaultStage.injecting, ""), (stage, "the container still runs")] {
            history.append(
                .fault(
                    FaultTransition(
                        id: "f1", step: "kill", kind: "container.kill", target: "pg-1", stage: stage, at: at(seconds),
                        detail: detail)))
        }
    }

    /// An open-loop prober: one arrival each `interval`, served in `service` while the system is up.
    mutating func openLoop(
        from start: Double = 0, until end: Double, interval: Double = 0.010, service: Double = 0.001,
        down: [(Double, Double)] = [], failure: Failure = .fast, path: Label = "fresh",
        node: (Double) -> Label = { _ in .none },
        firstSequence: Int64 = 1
    ) {
        let count = Int(((end - start) / interval).rounded())
        for index in 0..<count {
            let due = start + Double(index) * interval
            let outage = down.first { $0.0 <= due && due < $0.1 }
            var operation = Operation(
                probe: Self.probe, path: path, node: node(due), action: .write, sequence: firstSequence + Int64(index),
                due: at(due), sent: at(due), end: at(due + service), outcome: .ok)
            if let outage {
                switch failure {
                case .fast:
                    operation.outcome = .failed
                    operation.reason = "refused"
                case .hangs(let timeout):
                    operation.outcome = .unknown
                    operation.reason = "timeout"
                    operation.end = operation.due + timeout
                case .waits:
                    operation.end = at(outage.1 + service)
                }
            }
            history.append(.operation(operation))
        }
    }

    /// One acknowledged (or other) write.
    mutating func write(
        _ sequence: Int64, _ began: Double, _ end: Double, node: Label = "pg-1", outcome: Outcome = .ok,
        reason: Label = .none, probe: Label = Scenario.probe, path: Label = "fresh"
    ) {
        history.append(
            .operation(
                Operation(
                    probe: probe, path: path, node: node, action: .write, sequence: sequence, due: at(began),
                    sent: at(began), end: at(end), outcome: outcome, reason: reason)))
    }

    /// Writes `range`, one each 10 ms from `start`.
    mutating func writes(
        _ range: ClosedRange<Int64>, from start: Double, node: Label = "pg-1", outcome: Outcome = .ok,
        interval: Double = 0.010, path: Label = "fresh"
    ) {
        for (index, sequence) in range.enumerated() {
            let began = start + Double(index) * interval
            write(sequence, began, began + 0.001, node: node, outcome: outcome, path: path)
        }
    }

    mutating func readBack(
        _ present: [ClosedRange<Int64>], at seconds: Double = 100, node: Label = "pg-2", authoritative: Bool = true,
        duplicated: [Int64] = [], stage: ReadBack.Stage = .final, failure: String = ""
    ) {
        history.append(
            .readBack(
                ReadBack(
                    probe: Self.probe, node: node, stage: stage, at: at(seconds), isAuthoritative: authoritative,
                    present: present, duplicated: duplicated, failure: failure)))
    }

    /// Looks at one node each 50 ms; `state` is what it says (or the reason why it says nothing) at that time.
    mutating func roles(
        _ node: Label, until end: Double, every interval: Double = 0.050, offset: Double = 0, state: (Double) -> Label?,
        silence: Label = "timeout"
    ) {
        for index in 0..<Int((end / interval).rounded()) {
            let sent = offset + Double(index) * interval
            let answer = state(sent)
            let quick = answer != nil || silence == "refused"
            history.append(
                .state(
                    StateSample(
                        probe: "roles", node: node, sent: at(sent), end: at(sent + (quick ? 0.002 : 0.500)),
                        state: answer ?? StateSample.unreachable, detail: answer == nil ? silence : .none)))
        }
    }

    func judged(_ checker: some Checker, probe: Label = Scenario.probe, after: Label? = nil) -> CriterionResult {
        checker.check(history, CheckSubject(name: "criterion", probe: probe, after: after))
    }
}

extension CriterionResult {
    func part(_ name: String) -> Double? { parts.first { $0.name == name }?.value }

    /// Equal to a microsecond: the sums of a scenario's instants round at the ninth digit.
    func bounds(are lower: Double, _ upper: Double) -> Bool {
        guard let mine = self.lower, let theirs = self.upper else { return false }
        return abs(mine - lower) < 1e-6 && abs(theirs - upper) < 1e-6
    }
}

func isClose(_ value: Double?, _ expected: Double, within tolerance: Double = 1e-6) -> Bool {
    value.map { abs($0 - expected) <= tolerance } ?? false
}
