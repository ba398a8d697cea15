package import Basics
internal import Contracts
internal import Experiment
internal import Glibc

/// What the output is able to show.
package struct TerminalCapabilities: Sendable, Hashable {
    /// The cursor can be moved: the picture is redrawn in place; otherwise one line per event.
    package var canRedraw: Bool
    package var colour: Bool
    package var width: Int
    package var height: Int

    package init(canRedraw: Bool, colour: Bool, width: Int = 100, height: Int = 40) {
        self.canRedraw = canRedraw
        self.colour = colour
        self.width = width
        self.height = height
    }

    /// By the conventions of `NO_COLOR` (any value but the empty one turns colours off) and `TERM=dumb`.
    package init(isTerminal: Bool, environment: [String: String], width: Int, height: Int) {
        let term = environment["TERM"] ?? ""
        let canRedraw = isTerminal && term != "dumb" && !term.isEmpty
        let noColour = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        self.init(canRedraw: canRedraw, colour: canRedraw && !noColour, width: max(20, width), height: max(6, height))
    }

    /// Asks the kernel about a descriptor; call it before each frame, because windows change their size.
    package static func of(descriptor: CInt, environment: [String: String]) -> TerminalCapabilities {
        var size = winsize()
        let known = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return TerminalCapabilities(
            isTerminal: isatty(descriptor) == 1, environment: environment,
            width: known ? Int(size.ws_col) : 100, height: known ? Int(size.ws_row) : 40)
    }
}

/// Turns frames into what is written to a terminal: each frame replaces the one before, in one write, without flicker.
package struct LiveTerminal: Sendable {
    private var drawn = 0

    package init() {}

    /// The bytes that replace the last frame by this one; the cursor ends below it. Lines must not exceed the width.
    package mutating func frame(_ lines: [String]) -> String {
        // Up to the first line, rewrite each line to its end, then clear what a longer frame left below.
        var output = drawn > 0 ? "\r\u{1B}[\(drawn)A" : ""
        for line in lines { output += "\(line)\u{1B}[K\n" }
        drawn = lines.count
        return output + "\u{1B}[J"
    }

    /// Removes the last frame, so that ordinary lines can follow.
    package mutating func clear() -> String {
        defer { drawn = 0 }
        return drawn > 0 ? "\r\u{1B}[\(drawn)A\u{1B}[J" : ""
    }
}

/// The live output where nothing can be redrawn: a line per event worth telling, and a sign of life every ten seconds.
package struct PlainLog: Sendable {
    private static let heartbeat = Span.seconds(10)
    private var lastLine: Instant?

    package init() {}

    /// The lines for what an event brought; `messages` is what `LiveState.apply` returned for it.
    package mutating func lines(_ messages: [LiveState.Message], _ state: LiveState) -> [String] {
        messages.map { message in
            lastLine = max(lastLine ?? message.at, message.at)
            let level = message.level == .info ? "" : "\(message.level.rawValue): "
            return stamped(message.at, level + message.text, state)
        }
    }

    /// A line about phase and traffic when nothing was printed for ten seconds.
    package mutating func heartbeat(_ state: LiveState, at now: Instant) -> String? {
        guard let last = lastLine, now - last >= PlainLog.heartbeat, !state.isOver else { return nil }
        lastLine = now
        var parts = [state.phase?.rawValue ?? "starting"]
        for probe in state.traffic.keys.sorted() {
            guard let rates = state.traffic[probe]?.rates(at: now) else { continue }
            func text(_ value: Double) -> String { decimal(value, places: 0) }
            parts.append(
                "\(probe) \(text(rates.ok))/s ok, \(text(rates.failed))/s failed, \(text(rates.unknown))/s unknown")
        }
        let readings = state.plan.meters.filter { $0.group == .criterion }.map { ($0, LiveReading($0, state, at: now)) }
        parts += readings.filter { $0.1.lamp != .waiting }.map { "\($0.0.name) \($0.1.text)" }
        return stamped(now, parts.joined(separator: " · "), state)
    }

    private func stamped(_ at: Instant, _ text: String, _ state: LiveState) -> String {
        guard let run = state.run else { return text }
        let wall = WallInstant(nanoseconds: run.startedAtWall.nanoseconds + (at - run.startedAt).nanoseconds)
        let time = wall.iso8601.dropFirst(11).prefix(8)
        let offset = Figure.offset(at - run.startedAt, places: 1)
        return StyledText("\(time)Z \(offset)  \(text)").rendered(width: .max, colour: false)
    }
}
