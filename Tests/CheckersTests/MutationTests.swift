import Basics
import Checkers
import Contracts
import Experiment
import Testing

/// R12: one observation of a good run changed, and the criterion it concerns must not pass any more.
///
/// The run is R1 without the loss: 150 rows replicated, 37 more, a promotion, service from 20.0 on.
@Suite struct MutationTests {
    enum Kind: String, CaseIterable {
        case rto
        case rpo
        case splitByAcknowledgement = "split-brain by acknowledgement"
        case splitByRole = "split-brain by role"
        case availability
        case recovery
        case latency
        case errorRate = "error-rate"
        case throughput
        case replicationLag = "replication-lag"
    }

    static func good() -> [HistoryEvent] {
        var scenario = Scenario()
        scenario.fault(10, healed: 40)
        scenario.openLoop(until: 30, down: [(10, 20)], path: "fresh", node: { $0 < 10 ? "pg-1" : "pg-2" })
        scenario.roles("pg-1", until: 50, state: { $0 < 10 ? "primary" : nil })
        scenario.roles("pg-2", until: 50, state: { $0 < 15 ? "replica" : "primary" })
        let acknowledged = scenario.history.operations.filter(\.isGood).map(\.sequence)
        scenario.readBack(acknowledged.map { $0...$0 })
        for index in 0..<400 {
            scenario.history.append(
                .measurement(
                    Measurement(
                        probe: "lag", node: "pg-2", metric: "lag", at: at(Double(index) * 0.1), value: 0.02,
                        unit: .seconds)))
        }
        scenario.history.append(.phase(.healing, at: at(35)))
        scenario.history.append(.steadyState(phase: .settling, held: true, at: at(50), detail: ""))
        return events(of: scenario.history)
    }

    static func events(of history: History) -> [HistoryEvent] {
        history.phases.map { .phase($0.phase, at: $0.at) } + history.operations.map(HistoryEvent.operation)
            + history.states.map(HistoryEvent.state) + history.measurements.map(HistoryEvent.measurement)
            + history.readBacks.map(HistoryEvent.readBack)
            + history.steadyStates.map { .steadyState(phase: $0.phase, held: $0.held, at: $0.at, detail: $0.detail) }
            + history.faults.flatMap { fault -> [HistoryEvent] in
                [(FaultStage.injecting, at(10)), (.active, at(10)), (.healed, at(40))].map { stage, instant in
                    .fault(
                        FaultTransition(
                            id: fault.id, step: fault.step, kind: fault.kind, target: fault.target, stage: stage,
                            at: instant, effectiveAt: stage == .active ? fault.effectiveAt : nil,
                            detail: stage == .active ? fault.evidence : ""))
                }
            }
    }

    static func verdict(_ kind: Kind, _ events: [HistoryEvent]) -> Verdict {
        let steady = SteadyState(title: "", holdFor: .seconds(5), expectations: [])
        let fast = [PercentileLimit("max", 1, .milliseconds(2))]
        let (checker, probe): (any Checker, Label) =
            switch kind {
            case .rto: (RecoveryTime(limit: .milliseconds(10_001), hold: .seconds(5)), "orders")
            case .rpo: (DataLoss(), "orders")
            case .splitByAcknowledgement: (SplitBrain(), "orders")
            case .splitByRole: (SplitBrain(), "roles")
            case .availability: (Availability(minimum: Share(fraction: 0.5), window: .seconds(20)), "orders")
            case .recovery: (Recovery(within: .seconds(40)), .none)
            case .latency: (Latency(limits: fast, phase: .before), "orders")
            case .errorRate: (ErrorRate(limit: Share(fraction: 0), phase: .before), "orders")
            case .throughput: (Throughput(minimum: Rate(perSecond: 100), phase: .before), "orders")
            case .replicationLag: (ReplicationLag(limits: [PercentileLimit("max", 1, .milliseconds(20))]), "lag")
            }
        let subject = CheckSubject(name: kind.rawValue, probe: probe, steadyState: steady)
        return checker.check(History(events), subject).verdict
    }

    /// The smallest change that breaks what the criterion promises.
    static func mutate(_ kind: Kind, _ event: HistoryEvent) -> HistoryEvent {
        switch (kind, event) {
        case (.rto, .operation(var operation)) where operation.due == at(20):
            operation.outcome = .failed
            return .operation(operation)
        case (.availability, .operation(var operation)) where operation.due == at(25):
            operation.outcome = .unknown
            return .operation(operation)
        case (.errorRate, .operation(var operation)), (.throughput, .operation(var operation)):
            if operation.due == at(5) { operation.outcome = .failed }
            return .operation(operation)
        case (.latency, .operation(var operation)) where operation.due == at(5):
            operation.end = operation.end + .milliseconds(2)
            return .operation(operation)
        case (.splitByAcknowledgement, .operation(var operation)) where operation.due == at(25):
            // One more acknowledgement by the old primary, in the middle of the new one's.
            operation.node = "pg-1"
            operation.sent = at(9.5)
            return .operation(operation)
        case (.splitByRole, .state(var sample)) where sample.node == "pg-1" && sample.sent == at(30):
            sample.state = "primary"
            sample.end = sample.sent + .milliseconds(2)
            return .state(sample)
        case (.rpo, .readBack(var read)):
            read.present.removeLast()
            return .readBack(read)
        case (.recovery, .steadyState(let phase, _, let at, _)):
            return .steadyState(phase: phase, held: false, at: at, detail: "two primaries")
        case (.replicationLag, .measurement(var measurement)) where measurement.at == at(20):
            measurement.value = 0.021
            return .measurement(measurement)
        default: return event
        }
    }

    @Test(arguments: Kind.allCases)
    func theGoodRunPasses(kind: Kind) {
        #expect(Self.verdict(kind, Self.good()) == .pass)
    }

    @Test(arguments: Kind.allCases)
    func oneChangedObservationChangesTheVerdict(kind: Kind) {
        let good = Self.good()
        let changed = good.map { Self.mutate(kind, $0) }
        #expect(zip(good, changed).count { $0 != $1 } == 1)
        #expect(Self.verdict(kind, changed) != .pass)
    }

    @Test(arguments: Kind.allCases)
    func withoutTheFaultsEffectNothingPasses(kind: Kind) {
        let unproven = Self.good().map { event -> HistoryEvent in
            guard case .fault(var transition) = event, transition.stage == .active else { return event }
            transition.stage = .unproven
            transition.effectiveAt = nil
            return .fault(transition)
        }
        #expect(Self.verdict(kind, unproven) == .inconclusive)
    }

    @Test(arguments: Kind.allCases)
    func withoutObservationsNothingPasses(kind: Kind) {
        let blind = Self.good().filter { event in
            switch event {
            case .operation, .state, .measurement, .readBack, .steadyState: false
            case .run, .phase, .fault, .stall, .note, .aborted, .cleanUp, .ended: true
            }
        }
        #expect(Self.verdict(kind, blind) == .inconclusive)
    }
}
