import Basics
import Contracts
import Experiment
import Testing

@testable import AWS

/// Events have no identifiers and dates of another clock: what is new, and where it belongs.
@Suite struct EventTimelineTests {
    private func event(_ source: String, _ message: String, _ seconds: Double) throws -> ServiceEvent {
        let nanoseconds = ProbeFixture.begin.nanoseconds + Int64((seconds * 1e9).rounded())
        return try ProbeFixture.event(source, message, WallInstant(nanoseconds: nanoseconds).iso8601)
    }

    @Test func anEventIsNewOnce() throws {
        var timeline = EventTimeline(begin: ProbeFixture.begin, sources: [])
        func new(_ events: ServiceEvent...) -> [ServiceEvent] { timeline.new(events) }
        let started = try event("orders", "Started cross AZ failover to DB instance: orders-2", 1)
        let completed = try event("orders", "Completed failover to DB instance: orders-2", 3)
        #expect(new(started) == [started])
        #expect(new(started, completed) == [completed])
        #expect(new(started, completed) == [])
        #expect(timeline.count == 2)
    }

    @Test func theSameWordsAtAnotherTimeOrOfAnotherSourceAreAnotherEvent() throws {
        var timeline = EventTimeline(begin: ProbeFixture.begin, sources: [])
        func new(_ events: ServiceEvent...) -> [ServiceEvent] { timeline.new(events) }
        let first = try event("orders-1", "DB instance restarted", 1)
        let later = try event("orders-1", "DB instance restarted", 1.001)
        let other = try event("orders-2", "DB instance restarted", 1)
        #expect(new(first, later, other) == [first, later, other])
    }

    @Test func onlyTheSourcesThatAreMeantCountInAnyCase() throws {
        var timeline = EventTimeline(begin: ProbeFixture.begin, sources: ["orders"])
        func new(_ events: ServiceEvent...) -> [ServiceEvent] { timeline.new(events) }
        let ours = try event("Orders", "m", 1)
        #expect(new(try event("payments", "m", 1), ours) == [ours])
        #expect(timeline.count == 1)
    }

    @Test func whatWasBeforeTheRunIsNotOfIt() throws {
        let begin = WallInstant(nanoseconds: ProbeFixture.begin.nanoseconds + 700_000_000)
        var timeline = EventTimeline(begin: begin, sources: [])
        func new(_ events: ServiceEvent...) -> [ServiceEvent] { timeline.new(events) }
        // A date of whole seconds: it may have been in the run.
        let sameSecond = try event("orders", "m", 0)
        #expect(new(try event("orders", "m", -0.001), sameSecond) == [sameSecond])
    }

    @Test func lateEventsAreAskedForAgainAndNoneFromBeforeTheRun() {
        let timeline = EventTimeline(begin: ProbeFixture.begin, sources: [])
        func since(_ minutes: Int64) -> Int64 {
            let now = WallInstant(nanoseconds: ProbeFixture.begin.nanoseconds + Span.minutes(minutes).nanoseconds)
            return (timeline.since(now).nanoseconds - ProbeFixture.begin.nanoseconds) / Span.minutes(1).nanoseconds
        }
        #expect(since(5) == 0)
        #expect(since(20) == 5)
    }

    @Test func aDateIsTheInstantAtWhichTheWallClockShowedIt() {
        let now = ProbeFixture.instant(60_000)
        func instant(_ seconds: Int64) -> Instant {
            let date = WallInstant(nanoseconds: ProbeFixture.begin.nanoseconds + seconds * 1_000_000_000)
            return EventTimeline.instant(of: date, now: now, wallClock: ProbeFixture.begin)
        }
        #expect(instant(-45) == ProbeFixture.instant(15_000))
        #expect(instant(0) == now)
        #expect(instant(3) == now, "AWS's clock is ahead: nothing that is known has yet to happen")
    }

    @Test func anEventIsSaidWithItsSource() throws {
        #expect(EventTimeline.text(try event("orders", "Done", 1)) == "orders (db-cluster): Done")
    }

    @Test func aSourceThatNothingIsCalledIsAnError() {
        let findings = AWSEventsProbe.unknown(
            ["orders", "ordres"], known: ["Orders", "orders-1"], region: "us-east-1", probe: "p")
        #expect(findings.map(\.severity) == [.error])
        #expect(findings.first?.message.contains("nothing in us-east-1 is called ordres") == true)
    }
}
