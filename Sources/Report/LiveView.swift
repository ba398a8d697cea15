package import Basics
internal import Contracts
internal import Experiment

/// The live picture of a run: a pure function of state and time, one text per line.
package enum LiveView {
    /// At most `height` lines of at most `width` columns.
    package static func lines(
        _ state: LiveState, at now: Instant, width: Int = 100, height: Int = 40, colour: Bool = false
    ) -> [String] {
        var lines = [head(state, at: now, width: width), phases(state, at: now), StyledText()]
        lines += faults(state, at: now)
        lines += traffic(state, at: now)
        lines += nodes(state)
        lines += meters(state, .criterion, "criteria", at: now, width: width)
        lines += meters(state, .steadyState, "steady state", at: now, width: width)
        lines += news(state)
        lines.append(StyledText("Ctrl-C ends the run: faults are healed first, and the report is written", .dim))
        if lines.count > height { lines = Array(lines.prefix(max(1, height - 1))) + [lines[lines.count - 1]] }
        return lines.prefix(height).map { $0.rendered(width: width, colour: colour) }
    }

    private static let labelWidth = 14

    private static func labelled(_ label: String, _ rows: [StyledText]) -> [StyledText] {
        rows.enumerated().map { StyledText($0.offset == 0 ? label : "", .dim).padded(labelWidth) + $0.element }
    }

    private static func head(_ state: LiveState, at now: Instant, width: Int) -> StyledText {
        let total = Int(state.elapsed(at: now).seconds)
        let rest = total % 60
        let time = "\(total / 60):\(rest < 10 ? "0" : "")\(rest)"
        let title = StyledText("squall", .bold) + StyledText("  \(state.plan.title)")
        let room = width - time.count - 1
        return title.width < room
            ? title.padded(room + 1) + StyledText(time, .bold) : StyledText(time, .bold) + StyledText("  ") + title
    }

    private static func phases(_ state: LiveState, at now: Instant) -> StyledText {
        var line = StyledText()
        for phase in Phase.allCases {
            if phase != Phase.allCases.first { line.append("  ", .dim) }
            if phase == state.phase {
                let time = state.phaseBegan[phase].map { " \(Int(max(.zero, now - $0).seconds))s" } ?? ""
                line.append("▶ \(phase.rawValue)\(time)", .bold)
            } else if state.phaseBegan[phase] != nil {
                line.append("✓ \(phase.rawValue)", .green)
            } else {
                line.append("· \(phase.rawValue)", .dim)
            }
        }
        return line
    }

    private static func faults(_ state: LiveState, at now: Instant) -> [StyledText] {
        guard !state.faults.isEmpty else { return labelled("faults", [StyledText("none yet", .dim)]) }
        return labelled(
            "faults",
            state.faults.suffix(6).map { fault in
                var line = StyledText(fault.step.text, .bold)
                line.append("  \(fault.kind) on \(fault.target)  ")
                switch fault.stage {
                case .active: line.append("active", .boldRed)
                case .healed: line.append("healed", .green)
                case .healFailed: line.append("not healed", .boldRed)
                case .unproven, .refused: line.append(fault.stage.words, .boldYellow)
                case .prepared, .injecting, .healing: line.append(fault.stage.words, .yellow)
                }
                if fault.stage == .active, let effect = fault.effectiveAt {
                    line.append(" \(Int(max(.zero, now - effect.upper).seconds))s")
                }
                if let healsAt = state.healsAt(fault) {
                    line.append(", heals in \(Int(max(.zero, healsAt - now).seconds.rounded(.up)))s", .cyan)
                }
                return line
            })
    }

    private static func traffic(_ state: LiveState, at now: Instant) -> [StyledText] {
        let probes = state.traffic.keys.sorted()
        let column = probes.map(\.text.count).max() ?? 0
        return labelled(
            "traffic",
            probes.prefix(8).compactMap { probe in
                guard let traffic = state.traffic[probe] else { return nil }
                let rates = traffic.rates(at: now)
                func rate(_ value: Double, _ word: String, _ style: StyledText.Style) -> StyledText {
                    let number = decimal(value, places: value < 10 && value > 0 ? 1 : 0)
                    return StyledText("\(number)/s \(word)", value > 0 ? style : .dim).padded(14)
                }
                var line = StyledText(probe.text, .bold).padded(column + 2)
                line = line + rate(rates.due, "due", .plain) + rate(rates.ok, "ok", .green)
                line = line + rate(rates.failed, "failed", .boldRed) + rate(rates.unknown, "unknown", .boldYellow)
                let p50 = traffic.quantile(0.5, at: now).map(Figure.latency) ?? "—"
                let p99 = traffic.quantile(0.99, at: now).map(Figure.latency) ?? "—"
                line.append("p50 \(p50)  p99 \(p99)")
                return line
            })
    }

    private static func nodes(_ state: LiveState) -> [StyledText] {
        labelled(
            "nodes",
            state.nodes.keys.sorted().prefix(6).map { probe in
                var line = StyledText(probe.text, .bold)
                for node in (state.nodes[probe] ?? [:]).values.sorted(by: { $0.node < $1.node }) {
                    line.append("  \(node.node) ")
                    switch node.state {
                    case StateSample.primary: line.append("PRIMARY", .boldGreen)
                    case StateSample.unreachable: line.append("unreachable", .boldRed)
                    default: line.append(node.state.text, .cyan)
                    }
                }
                return line
            })
    }

    private static func meters(
        _ state: LiveState, _ group: LiveMeter.Group, _ label: String, at now: Instant, width: Int
    ) -> [StyledText] {
        let meters = state.plan.meters.filter { $0.group == group }.prefix(8)
        let readings = meters.map { LiveReading($0, state, at: now) }
        let names = meters.map(\.name.count).max() ?? 0
        let texts = readings.map(\.text.count).max() ?? 0
        let limits = meters.map { $0.limit?.description.count ?? 0 }.max() ?? 0
        let room = width - labelWidth - names - texts - limits - 12
        return labelled(
            label,
            zip(meters, readings).map { meter, reading in
                var line: StyledText
                switch reading.lamp {
                case .waiting: line = StyledText("○ ", .dim)
                case .good: line = StyledText("● ", .green)
                case .bad: line = StyledText("● ", .boldRed)
                }
                line = line + StyledText(meter.name).padded(names + 2)
                line = line + StyledText(reading.text, reading.lamp == .waiting ? .dim : .bold).padded(texts + 2)
                line = line + StyledText(meter.limit?.description ?? "", .dim).padded(limits + 2)
                if let used = reading.used, room >= 8 {
                    let cells = min(24, room)
                    let full = Int((used * Double(cells)).rounded())
                    line.append(String(repeating: "█", count: full), reading.lamp == .bad ? .red : .green)
                    line.append(String(repeating: "░", count: cells - full), .dim)
                }
                return line
            })
    }

    private static func news(_ state: LiveState) -> [StyledText] {
        guard let start = state.run?.startedAt else { return [] }
        return labelled(
            "news",
            state.messages.suffix(4).map { message in
                let style: StyledText.Style =
                    switch message.level {
                    case .info: .plain
                    case .warning: .yellow
                    case .error: .boldRed
                    }
                let time = Figure.offset(message.at - start, places: 1)
                return StyledText(time, .dim).padded(10) + StyledText(message.text, style)
            })
    }
}
