internal import Basics

/// The one x axis of all charts: milliseconds from the start of the run, labelled in seconds since the fault.
struct TimeAxis {
    let start: Instant
    let end: Instant
    let origin: Instant
    /// Milliseconds, at least 1: the width of every chart's view box.
    let width: Double

    init(_ clock: RunClock) {
        start = clock.start
        end = clock.end
        origin = clock.origin
        width = max(1, (clock.end - clock.start).milliseconds)
    }

    /// Where an instant lies, cut to the axis.
    func x(_ instant: Instant) -> Double { min(width, max(0, (instant - start).milliseconds)) }

    /// A whole number, to keep paths short: no chart shows more than a millisecond.
    func whole(_ instant: Instant) -> Int { Int(x(instant).rounded()) }

    /// One of `count` equal columns.
    func column(_ instant: Instant, of count: Int) -> Int {
        min(count - 1, Int(x(instant) / width * Double(count)))
    }

    func percent(_ x: Double) -> String { "\(decimal(x / width * 100, places: 4))%" }

    /// Lines with labels at round distances from the fault: about eight.
    var ticks: String {
        let zero = (origin - start).milliseconds
        let step = TimeAxis.step(width / 8)
        var output = ""
        var position = ((0 - zero) / step).rounded(.up)
        while zero + position * step <= width {
            let x = zero + position * step
            output += "<i style=\"left:\(percent(x))\"\(position == 0 ? " class=\"zero\"" : "")>"
            output += "<b>\(TimeAxis.label(position * step))</b></i>"
            position += 1
        }
        return output
    }

    /// The next round step in milliseconds: 1, 2 or 5 times a power of ten, minutes from 30 s on.
    static func step(_ atLeast: Double) -> Double {
        let steps: [Double] = [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 10e3, 20e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1_200e3,
            1_800e3, 3_600e3, 7_200e3, 14_400e3, 28_800e3,
        ]
        return steps.first { $0 >= atLeast } ?? (atLeast / 28_800e3).rounded(.up) * 28_800e3
    }

    /// `0`, `+10 s`, `−2.5 s`
    static func label(_ milliseconds: Double) -> String {
        if milliseconds == 0 { return "0 s" }
        return "\(milliseconds < 0 ? "−" : "+")\(decimal(milliseconds.magnitude / 1_000, places: 3)) s"
    }
}
