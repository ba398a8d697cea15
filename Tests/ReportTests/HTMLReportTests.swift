import Basics
import Contracts
import FoundationEssentials
import Report
import Testing

@Suite struct HTMLReportTests {
    @Test(arguments: 0..<4)
    func thePageAsksForNothingFromOutside(index: Int) {
        let run = SnapshotTests.runs[index].run
        let page = HTMLReport.text(RunReport(run.verdict, run.history))
        for word in ["http://", "https://", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "import("] {
            #expect(!page.contains(word))
        }
        #expect(page.contains("default-src 'none'"))
    }

    @Test func hostileNamesAreShownAsText() throws {
        let hostile = "</script><img onerror=alert(1)>\"'&"
        var events: [HistoryEvent] = [.run(SyntheticRun.record(hostile, criteria: [hostile]))]
        let label = Label(hostile)
        let at = SyntheticRun.at(1)
        for outcome in Outcome.allCases {
            events.append(
                .operation(
                    Operation(
                        probe: label, path: label, node: label, action: .write, sequence: 1, due: at, sent: at,
                        end: SyntheticRun.at(1.5), outcome: outcome, reason: label)))
        }
        events.append(.state(StateSample(probe: label, node: label, sent: at, end: at, state: label, detail: label)))
        events.append(
            .measurement(
                Measurement(probe: label, node: label, metric: label, at: at, value: .infinity, unit: .seconds)))
        events.append(
            .measurement(Measurement(probe: label, node: label, metric: label, at: at, value: 1e300, unit: .bytes)))
        events.append(.note(Note(at: at, source: label, level: .error, message: hostile)))
        events.append(
            .fault(
                FaultTransition(
                    id: hostile, step: label, kind: label, target: label, stage: .active, at: at,
                    effectiveAt: InstantRange(at), detail: hostile)))
        let history = History(events)
        let result = CriterionResult(
            name: hostile, kind: hostile, probe: hostile, limit: hostile, measured: .infinity, unit: hostile,
            lower: -.infinity,
            upper: .nan, samples: 1, verdict: .inconclusive, reason: hostile,
            parts: [.init(name: hostile, value: .nan, unit: hostile, detail: hostile)], exceptions: [hostile])
        let verdict = RunVerdict(
            run: SyntheticRun.record(hostile, criteria: [hostile]), verdict: .inconclusive, reason: hostile,
            exitCode: 3,
            criteria: [result], faults: history.faults,
            leftovers: [Leftover(kind: hostile, target: hostile, description: hostile, commands: [hostile])],
            untested: [hostile], endedAt: SyntheticRun.at(2))
        let report = RunReport(verdict, history)
        let page = HTMLReport.text(report)
        #expect(!page.contains("<img"))
        #expect(page.components(separatedBy: "</script>").count == 2)
        #expect(!JUnitXML.text(report).contains("<img"))
        // Between backquotes, where Markdown shows text as it is, a command keeps its characters.
        let prose = MarkdownSummary.text(report).split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        #expect(!prose.joined().contains("<img"))
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(VerdictJSON.text(report).utf8))
        #expect(json["title"]?.string == hostile)
        #expect(json["criteria"]?[0]?["measured"] == .null)
    }

    @Test func aRunThatWasKilledIsDrawnUpToItsLastObservation() {
        let whole = SyntheticRun.failover
        let events = whole.events.filter { event in
            switch event {
            case .ended, .cleanUp: return false
            default: return true
            }
        }
        var verdict = whole.verdict
        // What a judge has who finds no end: the start.
        verdict.endedAt = verdict.run.startedAt
        let report = RunReport(verdict, History(events))
        #expect(report.clock.duration >= .seconds(118))
        #expect(HTMLReport.text(report).contains("data-width=\"118"))
    }

    @Test func directPathsToReplicasAreNoFailuresOfClients() {
        var events = SyntheticRun.failover.events
        for index in 0..<500 {
            let at = SyntheticRun.at(Double(index) / 10 + 1)
            events.append(
                .operation(
                    Operation(
                        probe: "orders", path: "direct:pg-3", node: "pg-3", action: .write,
                        sequence: Int64(900_000 + index),
                        due: at, sent: at, end: at + .milliseconds(1), outcome: .failed, reason: "25006")))
        }
        let report = RunReport(SyntheticRun.failover.verdict, History(events))
        let without = RunReport(SyntheticRun.failover.verdict, SyntheticRun.failover.history)
        #expect(report.clientPaths.map(\.path) == without.paths.map(\.path))
        #expect(report.paths.filter(\.isDirect).map(\.failed) == [500])
        #expect(report.timeline == without.timeline)
        #expect(!HTMLReport.text(report).contains("direct:pg-3 · failed"))
    }

    @Test func faultsAtTheSameTimeAreOneBandWithALineEach() {
        func fault(_ step: Label, _ from: Double, _ to: Double) -> [HistoryEvent] {
            let effect = InstantRange(SyntheticRun.at(from))
            return [
                .fault(
                    FaultTransition(
                        id: step.text, step: step, kind: "network.delay", target: "web", stage: .active,
                        at: SyntheticRun.at(from), effectiveAt: effect)),
                .fault(
                    FaultTransition(
                        id: step.text, step: step, kind: "network.delay", target: "web", stage: .healed,
                        at: SyntheticRun.at(to))),
            ]
        }
        let faults = fault("plan:a", 10, 20) + fault("plan:b", 12, 30) + fault("plan:c", 50, 60)
        let history = History([.run(SyntheticRun.record("x", criteria: []))] + faults)
        var verdict = SyntheticRun.empty.verdict
        verdict.faults = history.faults
        verdict.endedAt = SyntheticRun.at(70)
        let page = HTMLReport.text(RunReport(verdict, history))
        #expect(page.components(separatedBy: "<rect class=\"band\"").count - 1 == 2)
        #expect(page.components(separatedBy: "<path class=\"effect\"").count - 1 == 3)
        #expect(page.contains(">a · web<") && !page.contains(">plan:a · web<"))
    }

    @Test func manyOperationsAreDrawnAsAFewThousandPointsWithEveryFailureColumn() throws {
        var history = History()
        let verdict = SyntheticRun.large(operations: 60_000) { history.append($0) }
        let page = HTMLReport.text(RunReport(verdict, history))
        let points = page.components(separatedBy: "class=\"points ").dropFirst().map { $0.prefix { $0 != ">" } }
        let drawn = points.reduce(0) { $0 + $1.count { $0 == "m" } }
        #expect((1_000...6_500).contains(drawn))
        #expect(points.contains { $0.hasPrefix("failed") } && points.contains { $0.hasPrefix("unknown") })
        #expect(page.utf8.count < 1_000_000)
        #expect(page.contains("60,000 arrivals"))
    }

    @Test func aLonelyOutlierAmongManyIsDrawn() {
        var history = History()
        let verdict = SyntheticRun.large(operations: 20_000) { history.append($0) }
        let outlier = Operation(
            probe: "orders", path: "kept", node: "pg-1", action: .write, sequence: 999_999, due: SyntheticRun.at(100),
            sent: SyntheticRun.at(100), end: SyntheticRun.at(101.9), outcome: .ok)
        #expect(highest(HTMLReport.text(RunReport(verdict, history))).y > 1_500)
        history.append(.operation(outlier))
        let point = highest(HTMLReport.text(RunReport(verdict, history)))
        #expect(point.x == 100_000)
        #expect(point.y < 300)
    }

    /// The success with the longest latency of those drawn: milliseconds from the start, tenths of a pixel from the top.
    private func highest(_ page: String) -> (x: Int, y: Int) {
        var best = (x: 0, y: Int.max)
        for path in page.components(separatedBy: "class=\"points ok\"").dropFirst() {
            var place = (x: 0, y: 0)
            let steps = path.prefix { $0 != ">" }.components(separatedBy: "d=\"M0 0").last ?? ""
            for step in steps.split(separator: "m").map({ $0.split(separator: " ") }) where step.count == 2 {
                place.x += Int(step[0]) ?? 0
                place.y += Int(step[1].prefix { $0 != "h" }) ?? 0
                if place.y < best.y { best = place }
            }
        }
        return best
    }
}
