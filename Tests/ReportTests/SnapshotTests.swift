import Basics
import Contracts
import Experiment
import Report
import Testing

@Suite struct SnapshotTests {
    static let runs: [(name: String, run: SyntheticRun)] = [
        ("failover", .failover), ("dual-primary", .dualPrimary), ("inconclusive", .inconclusive), ("empty", .empty),
    ]

    @Test(arguments: 0..<4)
    func theTextOutputsStayAsTheyAre(index: Int) throws {
        let (name, run) = SnapshotTests.runs[index]
        let report = RunReport(run.verdict, run.history)
        try expectSnapshot(VerdictJSON.text(report), "\(name).json")
        try expectSnapshot(JUnitXML.text(report), "\(name).xml")
        try expectSnapshot(MarkdownSummary.text(report), "\(name).md")
        let files = RunFiles.names.map { (name: $0, path: "runs/latest/\($0)") }
        let lines = TerminalVerdict.lines(report, files: files)
        try expectSnapshot(lines.joined(separator: "\n") + "\n", "\(name).txt")
    }

    @Test func theLivePictureStaysAsItIs() throws {
        let plan = LivePlan(
            title: "The Postgres primary is killed and a standby takes over", durations: ["kill": .seconds(60)],
            meters: [
                LiveMeter(
                    group: .criterion, name: "rto", probe: "orders", gauge: .outage, limit: .init(parsing: "<= 30s")),
                LiveMeter(
                    group: .criterion, name: "rpo", probe: "orders", gauge: .afterwards, limit: .init(parsing: "<= 0")),
                LiveMeter(
                    group: .criterion, name: "availability", probe: "orders", gauge: .availability,
                    limit: .init(parsing: ">= 70%")),
                LiveMeter(
                    group: .criterion, name: "split-brain", probe: "roles", gauge: .dualPrimary,
                    limit: .init(parsing: "<= 0s")),
                LiveMeter(
                    group: .steadyState, name: "orders p95", probe: "orders", gauge: .metric("p95"),
                    limit: .init(parsing: "<= 100ms")),
                LiveMeter(
                    group: .steadyState, name: "roles primaries", probe: "roles", gauge: .metric("primaries"),
                    limit: .init(parsing: "1")),
            ])
        var state = LiveState(plan)
        var log = PlainLog()
        var pictures: [String] = []
        var plain: [String] = []
        var next = 6.0
        var lastBeat = SyntheticRun.start
        for (event, at) in timed(SyntheticRun.failover.events) {
            while at >= SyntheticRun.at(next), next < 120 {
                let now = SyntheticRun.at(next)
                pictures += ["--- at \(next) s ---"] + LiveView.lines(state, at: now, width: 110)
                next += 14
            }
            while at - lastBeat >= .seconds(1) {
                lastBeat = lastBeat + .seconds(1)
                if let line = log.heartbeat(state, at: lastBeat) { plain.append(line) }
            }
            plain += log.lines(state.apply(event), state)
        }
        try expectSnapshot(pictures.joined(separator: "\n") + "\n", "live.txt")
        try expectSnapshot(plain.joined(separator: "\n") + "\n", "plain.txt")
    }

    private func timed(_ events: [HistoryEvent]) -> [(HistoryEvent, Instant)] {
        var last = SyntheticRun.start
        return events.map { event in
            switch event {
            case .operation(let operation): last = max(last, operation.end)
            case .state(let sample): last = max(last, sample.end)
            case .phase(_, let at): last = max(last, at)
            default: break
            }
            return (event, last)
        }
    }
}
