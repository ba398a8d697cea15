import Basics
import Contracts
import Testing

/// What a run of the pacer started, with the virtual instant of each start.
private struct Started: Equatable {
    var number: Int64
    var due: Instant
    var at: Instant
}

private let origin = Instant(nanoseconds: 1_000_000_000_000)

private func pace(
    _ loop: OpenLoop, _ time: ScriptedTime, cost: (Int64) -> Span = { _ in .zero }
) async -> (started: [Started], stalls: [ProberStall]) {
    var started: [Started] = []
    var stalls: [ProberStall] = []
    await loop.run(time: time) {
        stalls.append($0)
    } _: { arrival in
        started.append(Started(number: arrival.number, due: arrival.due, at: time.now))
        time.advance(by: cost(arrival.number))
    }
    return (started, stalls)
}

@Suite struct OpenLoopTests {
    @Test func startsEveryArrivalExactlyWhenItIsDue() async {
        let time = ScriptedTime(start: origin, end: origin + .seconds(2))
        let (started, stalls) = await pace(OpenLoop(start: origin, rate: Rate(perSecond: 200)), time)
        #expect(started.map(\.number) == Array(0...400))
        #expect(started.allSatisfy { $0.at == $0.due })
        #expect(stalls.isEmpty)
    }

    @Test(arguments: [200.0, 3.0, 7.0, 333.4, 0.3] as [Double])
    func aPlanNeverDriftsHoweverLongItRuns(perSecond: Double) {
        let loop = OpenLoop(start: origin, rate: Rate(perSecond: perSecond))
        let number = Int64(perSecond * 86_400)
        let exact = Double(number) / perSecond
        #expect(abs((loop.due(number) - origin).seconds - exact) < 2e-9 * exact / 86_400 + 1e-6)
        #expect(loop.due(0) == origin)
        #expect(loop.due(number) > loop.due(number - 1))
    }

    @Test func catchesUpAfterAStallWithoutSkippingAndReportsIt() async {
        let time = ScriptedTime(
            start: origin, end: origin + .seconds(2), lateness: [(origin + .seconds(1), .milliseconds(400))])
        let (started, stalls) = await pace(OpenLoop(start: origin, rate: Rate(perSecond: 100)), time)
        #expect(started.map(\.number) == Array(0...200))
        #expect(stalls == [ProberStall(from: origin + .seconds(1), to: origin + .milliseconds(1_400))])
        let delayed = started.filter { $0.at > $0.due }
        #expect(delayed.map(\.number) == Array(100...139))
        #expect(delayed.allSatisfy { $0.at == origin + .milliseconds(1_400) })
        #expect(started[140].at == started[140].due)
    }

    @Test func aLateWakeUpBelowTheThresholdIsNoStall() async {
        let time = ScriptedTime(
            start: origin, end: origin + .seconds(2), lateness: [(origin + .seconds(1), .milliseconds(250))])
        let (started, stalls) = await pace(OpenLoop(start: origin, rate: Rate(perSecond: 100)), time)
        #expect(started.count == 201)
        #expect(stalls.isEmpty)
    }

    @Test func aPacerThatIsAlwaysBehindHasNoGap() async {
        // 12 ms of work for an arrival every 10 ms: late by 2 ms more each time and never asleep.
        let time = ScriptedTime(start: origin, end: origin + .seconds(1))
        let loop = OpenLoop(start: origin, rate: Rate(perSecond: 100))
        let (started, stalls) = await pace(loop, time) { number in
            number < 200 ? .milliseconds(12) : .zero
        }
        #expect(stalls.isEmpty)
        #expect(started[200].at - started[200].due == .milliseconds(400))
        #expect(started.map(\.number) == Array(0...240))
    }

    @Test func aBlockedArrivalIsTheProbersOwnStall() async {
        let time = ScriptedTime(start: origin, end: origin + .seconds(1))
        let (started, stalls) = await pace(OpenLoop(start: origin, rate: Rate(perSecond: 100)), time) {
            $0 == 50 ? .milliseconds(300) : .zero
        }
        #expect(started.map(\.number) == Array(0...100))
        #expect(stalls == [ProberStall(from: origin + .milliseconds(500), to: origin + .milliseconds(800))])
        #expect(started[51].at == origin + .milliseconds(800))
    }

    @Test func startsNothingBeforeThePlanBegins() async {
        let time = ScriptedTime(start: origin, end: origin + .seconds(6))
        let (started, stalls) = await pace(OpenLoop(start: origin + .seconds(5), rate: Rate(perSecond: 10)), time)
        #expect(started.first?.at == origin + .seconds(5))
        #expect(started.count == 11)
        #expect(stalls.isEmpty)
    }

    @Test func aCancelledTaskStartsNothing() async {
        let time = ScriptedTime(start: origin, end: origin + .seconds(60))
        let count = await withTaskGroup(of: Int.self) { group in
            group.addTask {
                var count = 0
                await OpenLoop(start: origin, rate: Rate(perSecond: 10)).run(time: time) { _ in
                } _: { arrival in
                    count += 1
                    if arrival.number == 4 { withUnsafeCurrentTask { $0?.cancel() } }
                }
                return count
            }
            return await group.next() ?? 0
        }
        #expect(count == 5)
    }

    @Test(
        arguments: [(200.0, 2, 1_000), (1_000.0, 5, 5_000), (333.4, 10, 3_334), (1.0, 1, 1_000)]
            as [(Double, Int64, Int)])
    func theInFlightCapHoldsAnOutageOfOneTimeout(perSecond: Double, timeout: Int64, limit: Int) {
        #expect(OpenLoop.inFlightLimit(rate: Rate(perSecond: perSecond), timeout: .seconds(timeout)) == limit)
    }
}
