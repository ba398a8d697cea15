import Basics
import Contracts
import Experiment
import Testing

@testable import Controller

/// What conditions see while a run goes on.
@Suite struct LiveWindowTests {
    private func write(_ path: Label, _ outcome: Outcome, at seconds: Int64) -> HistoryEvent {
        let instant = Instant(nanoseconds: seconds * 1_000_000_000)
        return .operation(
            Contracts.Operation(
                probe: "orders", path: path, action: .write, sequence: seconds, due: instant, sent: instant,
                end: instant + .milliseconds(1), outcome: outcome))
    }

    private func success(of events: [HistoryEvent]) -> Quantity? {
        var window = LiveWindow(retention: .seconds(60))
        for event in events { window.append(event) }
        return window.value(
            of: LiveMetric("success"), probe: "orders", over: .seconds(60), at: Instant(nanoseconds: 50_000_000_000))
    }

    @Test func whatGoesPastTheServiceIsNoServiceUnlessThereIsNoOther() {
        let direct = [write("direct:pg-2", .failed, at: 10), write("direct:pinned", .failed, at: 11)]
        #expect(success(of: [write("kept", .ok, at: 12)] + direct) == .share(Share(fraction: 1)))
        #expect(success(of: direct + [write("direct:pg-1", .ok, at: 13)]) == .share(Share(fraction: 1.0 / 3)))
        #expect(success(of: []) == nil)
    }

    /// A node that is asked and does not answer yet is neither primary nor replica.
    @Test func aLookIsOverWhenEveryNodeHasBeenSeen() {
        var window = LiveWindow(retention: .seconds(60))
        let now = Instant(nanoseconds: 5)
        func see(_ node: Label) {
            window.append(.state(StateSample(probe: "roles", node: node, sent: now, end: now, state: "replica")))
        }
        #expect(!window.hasSeen([], of: "roles"))
        see("r2")
        #expect(window.hasSeen([], of: "roles"))
        #expect(!window.hasSeen(["r1", "r2"], of: "roles"))
        #expect(!window.hasSeen(["r2"], of: "others"))
        see("r1")
        #expect(window.hasSeen(["r1", "r2"], of: "roles"))
    }

    /// CloudWatch that says nothing has no alarms to count: a condition on them must not hold.
    @Test func whatIsMeasuredIsNeverTakenForANumberOfStates() {
        let now = Instant(nanoseconds: 50_000_000_000)
        let silent = HistoryEvent.state(
            StateSample(probe: "cloud", node: "errors", sent: now, end: now, state: StateSample.unreachable))
        func alarms(_ events: [HistoryEvent], expected: [String]) -> Quantity? {
            var window = LiveWindow(retention: .seconds(60))
            window.expectMeasurements(expected, of: "cloud")
            for event in events { window.append(event) }
            return window.value(of: LiveMetric("alarms"), probe: "cloud", over: .seconds(10), at: now)
        }
        func measured(at seconds: Int64) -> HistoryEvent {
            .measurement(
                Measurement(
                    probe: "cloud", node: .none, metric: "alarms", at: Instant(nanoseconds: seconds * 1_000_000_000),
                    value: 2, unit: .count))
        }
        #expect(alarms([silent], expected: ["alarms"]) == nil)
        #expect(alarms([silent, measured(at: 30)], expected: []) == nil)
        #expect(alarms([silent, measured(at: 45)], expected: ["alarms"]) == .number(2))
        // What is no measurement of the probe is a number of nodes in that state.
        #expect(alarms([silent], expected: []) == .number(0))
    }
}
