import Basics
import Contracts

/// Runs made up with a seeded generator: as a real one would look, and the same on every machine.
struct SyntheticRun {
    var verdict: RunVerdict
    var history: History
    var events: [HistoryEvent]

    static let start = Instant(nanoseconds: 4_211_000_000_000)

    static func at(_ seconds: Double) -> Instant { start + Span(seconds: seconds) }

    init(_ events: [HistoryEvent], _ judge: (History) -> RunVerdict) {
        self.events = events
        history = History(events)
        verdict = judge(history)
    }

    static func record(_ title: String, criteria: [String]) -> RunRecord {
        RunRecord(
            run: "20261122-135553-postgres-primary-loss-4f2a", title: title,
            description: "SIGKILL the current primary under load; Patroni must promote a standby.",
            tags: ["dr", "postgres", "gate"], file: "experiments/disaster-recovery/postgres-primary-loss.yaml",
            runbook: "runbooks/postgres-primary-loss.md", experimentDigest: "sha256:9f2c1e77ab04", seed: 42,
            startedAt: start, startedAtWall: WallInstant(nanoseconds: 1_795_355_753_120_000_000),
            toolVersion: "0.1.0",
            environment: [
                "cores": "2", "docker": "20.10.24 (API 1.41)", "kernel": "Linux 6.1.0-37-amd64",
                "os": "Debian GNU/Linux 12", "postgres": "15.14", "prober.cpu": "21 % of one core",
            ],
            criteria: criteria)
    }
}

/// Collects the events of a made-up run and sorts them by the instant at which each was known.
struct RunBuilder {
    var events: [(at: Instant, event: HistoryEvent)] = []
    var random: SeededGenerator
    var sequence: Int64 = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    var sorted: [HistoryEvent] {
        events.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }.map(\.element.event)
    }

    mutating func add(_ event: HistoryEvent, _ seconds: Double) {
        events.append((SyntheticRun.at(seconds), event))
    }

    mutating func phase(_ phase: Phase, _ seconds: Double) {
        add(.phase(phase, at: SyntheticRun.at(seconds)), seconds)
    }

    mutating func note(_ seconds: Double, _ source: Label, _ message: String, _ level: Note.Level = .info) {
        add(.note(Note(at: SyntheticRun.at(seconds), source: source, level: level, message: message)), seconds)
    }

    /// A latency in seconds: mostly near `median`, with a tail.
    mutating func latency(_ median: Double) -> Double {
        let tail = Double.random(in: 0..<1, using: &random)
        let spread = 0.6 + 0.9 * Double.random(in: 0..<1, using: &random)
        return median * spread * (tail > 0.995 ? 12 : tail > 0.95 ? 2.5 : 1)
    }

    @discardableResult
    mutating func write(
        _ due: Double, _ path: Label, _ node: Label, _ latency: Double, _ outcome: Outcome, _ reason: Label = .none,
        isSent: Bool = true
    ) -> Int64 {
        sequence += 1
        let operation = Operation(
            probe: "orders", path: path, node: node, action: .write, sequence: sequence, due: SyntheticRun.at(due),
            sent: isSent ? SyntheticRun.at(due + 0.0001) : nil, end: SyntheticRun.at(due + latency),
            outcome: outcome, reason: reason)
        add(.operation(operation), due + latency)
        return sequence
    }

    mutating func state(_ seconds: Double, _ node: Label, _ state: Label, _ generation: Int64?, _ detail: Label = .none)
    {
        let sample = StateSample(
            probe: "roles", node: node, sent: SyntheticRun.at(seconds), end: SyntheticRun.at(seconds + 0.002),
            state: state, generation: generation, identity: "7341", detail: detail)
        add(.state(sample), seconds + 0.002)
    }

    mutating func fault(
        _ seconds: Double, _ stage: FaultStage, kind: Label, target: Label = "pg-1", effect: ClosedRange<Double>? = nil,
        _ detail: String = ""
    ) {
        let range = effect.map { InstantRange(SyntheticRun.at($0.lowerBound), SyntheticRun.at($0.upperBound)) }
        let transition = FaultTransition(
            id: "m-1", step: "kill", kind: kind, target: target, stage: stage, at: SyntheticRun.at(seconds),
            effectiveAt: range, detail: detail)
        add(.fault(transition), seconds)
    }
}

extension SyntheticRun {
    static let criteria = [
        "rto: probe orders, max 30s", "rpo: probe orders, max-lost-writes 0, max 1s",
        "split-brain: probe roles, max 0s", "availability: probe orders, min 70%, window 2m", "recovery: within 5m",
    ]

    /// Two minutes: the primary dies at 12 s, writes come back 17 s later on pg-2, one acknowledged write is gone.
    static let failover: SyntheticRun = {
        var build = RunBuilder(seed: 1)
        build.add(.run(record("The Postgres primary is killed and a standby takes over", criteria: criteria)), 0)
        for (phase, at) in [
            (Phase.preflight, 0.01), (.baseline, 0.34), (.injecting, 11.2), (.observing, 12.02), (.healing, 72.0),
            (.settling, 74.6), (.judged, 118.4),
        ] { build.phase(phase, at) }
        let steady = "roles primaries == 1, orders success >= 99.9%, orders p95 <= 100ms for 10s"
        build.add(.steadyState(phase: .baseline, held: true, at: at(11.2), detail: steady), 11.2)
        build.add(.steadyState(phase: .settling, held: true, at: at(118.2), detail: steady), 118.2)
        build.fault(11.6, .prepared, kind: "container.kill")
        build.fault(11.98, .injecting, kind: "container.kill")
        build.fault(
            12.01, .active, kind: "container.kill", effect: 11.9975...12.0,
            "exit of pid 48213 (init of pg-1) seen through its pidfd")
        build.fault(72.0, .healing, kind: "container.kill")
        build.fault(74.5, .healed, kind: "container.kill", "container runs again")
        build.note(20.1, "docker", "container pg-1 exited (137)")
        build.note(24.3, "patroni", "leader lock expired", .warning)
        build.note(27.4, "patroni", "pg-2 promoted itself to leader, timeline 2")
        build.note(74.5, "docker", "container pg-1 started")
        failoverTraffic(&build)
        failoverStates(&build)
        let lost = lostSequence(build)
        let present = ranges(kept(build).filter { $0 != lost })
        for (node, authoritative) in [("pg-2", true), ("pg-3", false)] as [(Label, Bool)] {
            let readBack = ReadBack(
                probe: "orders", node: node, stage: .final, at: at(117.5), isAuthoritative: authoritative,
                present: present, generation: 2)
            build.add(.readBack(readBack), 117.5)
        }
        build.add(.cleanUp(leftovers: [], at: at(118.3)), 118.3)
        build.add(.ended(at: at(118.6)), 118.6)
        return SyntheticRun(build.sorted) { history in failoverVerdict(history, lost: lost) }
    }()

    /// The last write that pg-1 acknowledged.
    private static func lostSequence(_ build: RunBuilder) -> Int64 {
        var last: Operation?
        for case .operation(let operation) in build.events.map(\.event)
        where operation.node == "pg-1" && operation.outcome == .ok {
            if operation.end > last?.end ?? start { last = operation }
        }
        return last?.sequence ?? 1
    }

    private static func kept(_ build: RunBuilder) -> [Int64] {
        var kept: [Int64] = []
        for case .operation(let operation) in build.events.map(\.event) where operation.outcome == .ok {
            kept.append(operation.sequence)
        }
        return kept.sorted()
    }

    private static func failoverTraffic(_ build: inout RunBuilder) {
        for index in 0..<Int(118 * 200) {
            let due = 0.4 + Double(index) / 200
            guard due < 117 else { break }
            let path: Label = index % 2 == 0 ? "kept" : "fresh"
            let median = path == "kept" ? 0.0021 : 0.0068
            let back = path == "kept" ? 29.35 : 29.0
            switch due {
            case ..<11.994: build.write(due, path, "pg-1", min(build.latency(median), 11.9975 - due), .ok)
            case ..<12.0: build.write(due, path, .none, 0.0037, .unknown, "connection lost")
            case ..<back:
                if path == "kept" && due < 14 {
                    build.write(due, path, .none, 2, .unknown, "timeout")
                } else if path == "kept" {
                    build.write(due, path, .none, build.latency(0.0009), .failed, "refused")
                } else {
                    build.write(
                        due, path, .none, build.latency(due < 15.2 ? 0.9 : 0.0011), .failed,
                        due < 15.2 ? "timeout" : "57P03")
                }
            default:
                let warmUp = 1 + 14 * max(0, 1 - (due - back) / 6)
                build.write(due, path, "pg-2", build.latency(median * warmUp), .ok)
            }
        }
    }

    private static func failoverStates(_ build: inout RunBuilder) {
        for index in 0..<Int(117.5 * 20) {
            let now = 0.35 + Double(index) / 20
            let (one, oneGeneration): (Label, Int64?) =
                now < 12
                ? ("primary", 1) : now < 75.8 ? ("unreachable", nil) : now < 78 ? ("starting", 2) : ("replica", 2)
            build.state(now, "pg-1", one, oneGeneration, one == "unreachable" ? "connection refused" : .none)
            build.state(now, "pg-2", now < 27.42 ? "replica" : "primary", now < 27.42 ? 1 : 2)
            build.state(now, "pg-3", "replica", now < 28.1 ? 1 : 2)
            guard index % 10 == 0 else { continue }
            for node in ["pg-2", "pg-3"] as [Label] where !(node == "pg-2" && now > 27.4) {
                let isDown = now > 12 && now < 28.6
                let value = isDown ? now - 12 : build.latency(0.004)
                build.add(
                    .measurement(
                        Measurement(
                            probe: "lag", node: node, metric: "lag", at: at(now), value: value, unit: .seconds,
                            isCensored: isDown)), now)
            }
        }
    }

    private static func failoverVerdict(_ history: History, lost: Int64) -> RunVerdict {
        let operations = history.operations.count
        let results = [
            CriterionResult(
                name: "rto", kind: "rto", probe: "orders", limit: "<= 30s", measured: 17.362, unit: "s", lower: 17.352,
                upper: 17.362, samples: operations, verdict: .pass,
                reason: "writes succeed again 17.362 s after the effect and hold for 10 s",
                parts: [
                    .init(name: "rto-first", value: 17.006, unit: "s", detail: "first success at all"),
                    .init(name: "outage", value: 17.34, unit: "s", detail: "total time without service"),
                    .init(name: "fault-interval", value: 0.0025, unit: "s", detail: "how exactly the fault is known"),
                    .init(name: "detection", value: 12.3, unit: "s", detail: "fault to detection by the control plane"),
                    .init(name: "promotion", value: 4.702, unit: "s", detail: "detection to the first write there"),
                    .init(name: "reconnection", value: 0.004, unit: "s", detail: "until clients reach the new primary"),
                    .init(name: "fleet tail", value: 0.356, unit: "s", detail: "until the last path is back"),
                    .init(name: "degraded", value: 6.02, unit: "s", detail: "until latency and rate are normal"),
                    .init(name: "exposure", value: 66.1, unit: "s", detail: "fault to redundancy restored"),
                    .init(name: "t0", value: 0, unit: "s", detail: "the fault has effect"),
                    .init(name: "t1", value: 0, unit: "s", detail: "first failed operation"),
                    .init(name: "t2", value: 12.3, unit: "s", detail: "the control plane detects"),
                    .init(name: "t3", value: 15.45, unit: "s", detail: "a new primary pg-2 reports its role"),
                    .init(name: "t4", value: 17.002, unit: "s", detail: "first success on the new primary pg-2"),
                    .init(name: "t5", value: 17.006, unit: "s", detail: "first success by a client"),
                    .init(name: "t6", value: 17.362, unit: "s", detail: "last path of clients recovered"),
                    .init(
                        name: "t7", value: 23.382, unit: "s",
                        detail: "latency and rate back within 20 % of the baseline"),
                    .init(name: "t8", value: 66.1, unit: "s", detail: "redundancy restored"),
                ]),
            CriterionResult(
                name: "rpo", kind: "rpo", probe: "orders", limit: "<= 0 writes", measured: 1, unit: "writes", lower: 1,
                upper: 401, samples: operations, verdict: .fail,
                reason: "1 acknowledged write is gone; 400 of unknown outcome were not found",
                parts: [
                    .init(name: "before the fault", value: 1, unit: "writes", detail: "acknowledged by pg-1"),
                    .init(name: "after the fault", value: 0, unit: "writes"),
                    .init(
                        name: "time", value: 0.0021, unit: "s",
                        detail: "from the last surviving to the last acknowledged write"),
                ],
                exceptions: ["write \(lost), acknowledged by pg-1 0.003 s before the effect, is not on pg-2"]),
            CriterionResult(
                name: "split-brain", kind: "split-brain", probe: "roles", limit: "<= 0s", measured: 0, unit: "s",
                lower: 0,
                upper: 0.05, samples: history.states.count, verdict: .pass, reason: "no two nodes were primary at once"),
            CriterionResult(
                name: "availability", kind: "availability", probe: "orders", limit: ">= 70%", measured: 83.476,
                unit: "%",
                lower: 82.9, upper: 84.04, samples: 21_000, verdict: .pass,
                reason: "17,530 of 21,000 due arrivals succeeded"),
            CriterionResult(
                name: "recovery", kind: "recovery", probe: "", limit: "<= 5m", measured: 106.2, unit: "s", lower: 96.2,
                upper: 106.2, samples: 2, verdict: .pass, reason: "the steady state held again 106.2 s after the effect"
            ),
        ]
        return RunVerdict(
            run: record("The Postgres primary is killed and a standby takes over", criteria: criteria), verdict: .fail,
            reason: "RPO 1 write > 0 writes: 1 acknowledged write is gone", exitCode: 1, criteria: results,
            faults: history.faults, leftovers: [],
            untested: [
                "reads: the ledger only writes",
                "failures of the load balancer itself: it stayed up",
            ], endedAt: at(118.6))
    }
}
