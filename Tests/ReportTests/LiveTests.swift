import Basics
import Contracts
import Experiment
import Report
import Testing

@Suite struct LiveTests {
    @Test(
        arguments: [
            (true, "xterm-256color", nil, true, true), (true, "xterm", "1", true, false),
            (true, "xterm", "", true, true),
            (true, "dumb", nil, false, false), (true, nil, nil, false, false), (false, "xterm", nil, false, false),
        ] as [(Bool, String?, String?, Bool, Bool)])
    func theTerminalIsAskedForNoMoreThanItCanDo(
        isTerminal: Bool, term: String?, noColour: String?, canRedraw: Bool, colour: Bool
    ) {
        var environment: [String: String] = [:]
        environment["TERM"] = term
        environment["NO_COLOR"] = noColour
        let capabilities = TerminalCapabilities(isTerminal: isTerminal, environment: environment, width: 80, height: 24)
        #expect(capabilities.canRedraw == canRedraw)
        #expect(capabilities.colour == colour)
    }

    @Test(arguments: [20, 40, 80, 132])
    func noLineIsWiderThanTheTerminalAndNoPictureHigher(width: Int) {
        var state = LiveState(LivePlan(title: "A title that is longer than twenty columns"))
        for event in SyntheticRun.failover.events.prefix(6_000) { state.apply(event) }
        for height in [6, 10, 40] {
            let lines = LiveView.lines(state, at: SyntheticRun.at(30), width: width, height: height)
            #expect(lines.count <= height)
            #expect(lines.allSatisfy { $0.count <= width })
        }
        let coloured = LiveView.lines(state, at: SyntheticRun.at(30), width: width, colour: true)
        #expect(coloured.contains { $0.contains("\u{1B}[") })
        #expect(coloured.map(withoutEscapes).allSatisfy { $0.count <= width })
    }

    @Test func aFrameReplacesTheOneBefore() {
        var terminal = LiveTerminal()
        #expect(terminal.frame(["a", "b"]) == "a\u{1B}[K\nb\u{1B}[K\n\u{1B}[J")
        #expect(terminal.frame(["c"]) == "\r\u{1B}[2Ac\u{1B}[K\n\u{1B}[J")
        #expect(terminal.clear() == "\r\u{1B}[1A\u{1B}[J")
        #expect(terminal.clear() == "")
    }

    @Test func messagesOfOthersCannotMoveTheCursor() {
        var state = LiveState(LivePlan(title: "x"))
        state.apply(SyntheticRun.failover.events[0])
        let note = Note(at: SyntheticRun.at(1), source: "docker", message: "evil \u{1B}[2J\nline")
        var log = PlainLog()
        let lines = log.lines(state.apply(.note(note)), state)
        #expect(lines == ["13:55:54Z +1.0 s  docker: evil  [2J line"])
        #expect(!LiveView.lines(state, at: SyntheticRun.at(2)).joined().contains("\u{1B}"))
    }

    @Test func theHeartbeatComesAtMostEveryTenSeconds() {
        var state = LiveState(LivePlan(title: "x"))
        var log = PlainLog()
        _ = log.lines(state.apply(SyntheticRun.failover.events[0]), state)
        let beats = (0..<60).compactMap { second in
            log.heartbeat(state, at: SyntheticRun.at(Double(second))).map { _ in second }
        }
        #expect(beats == [10, 20, 30, 40, 50])
    }

    @Test func countsAreThoseOfTheHistory() {
        var state = LiveState(
            LivePlan(
                title: "x",
                meters: [
                    LiveMeter(
                        group: .criterion, name: "availability", probe: "orders", gauge: .availability,
                        limit: Comparison(parsing: ">= 70%"))
                ]))
        for event in SyntheticRun.failover.events { state.apply(event) }
        let due = SyntheticRun.failover.history.operations.filter { $0.due >= SyntheticRun.at(12) }
        let share = Double(due.count { $0.outcome == .ok }) / Double(due.count) * 100
        let lines = LiveView.lines(state, at: SyntheticRun.at(118))
        // Those whose answer came before the effect was known are not counted: at most a handful of 21,000.
        let shown = lines.first { $0.contains("availability") }?.split(separator: " ").compactMap { Double($0) }.first
        #expect(abs((shown ?? 0) - share) < 0.05)
    }

    private func withoutEscapes(_ text: String) -> String {
        var output = ""
        var isEscape = false
        for character in text {
            if character == "\u{1B}" { isEscape = true }
            if !isEscape { output.append(character) }
            if isEscape && character.isLetter { isEscape = false }
        }
        return output
    }
}
