internal import Basics
internal import Contracts
internal import Experiment

extension FISImport {
    /// The experiment file.
    ///
    /// - Parameter templateFile: where the template itself lies, for whoever reads the file; nil when nowhere.
    package func text(templateFile: String?) -> String {
        var sections = [head(templateFile), top, targetSection, probeSection, methodSection, unmappedSection]
        sections.append("# What the run is judged by: squall list criteria\n# criteria:\n")
        sections += [stopSection, limitSection]
        return sections.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func head(_ templateFile: String?) -> String {
        var lines = ["Made of an AWS FIS experiment template by squall import fis."]
        if let templateFile {
            lines.append("\(templateFile) is the template itself: squall export fis starts from it.")
        }
        lines += notes.map { "Note: \($0)" }
        return lines.map(Self.comment).joined()
    }

    private var top: String {
        var text = YAMLText.text(drill.title).block(0, after: "title")
        if !drill.description.isEmpty { text += YAMLText.text(drill.description).block(0, after: "description") }
        return text
    }

    private var targetSection: String {
        if drill.targets.isEmpty { return "" }
        return "targets:\n"
            + drill.targets.sorted { $0.key < $1.key }.map { $0.value.text.block(2, after: YAMLText.scalar($0.key)) }
            .joined()
    }

    private var probeSection: String {
        let advice = "# FIS measures nothing: add probes and a steady-state-hypothesis (squall list probes).\n"
        if alarmProbes.isEmpty { return advice + "# probes:\n" }
        return advice + "probes:\n"
            + alarmProbes.map { name, alarms in
                var entries: [(String, YAMLText)] = [
                    ("type", .text(DrillAlarm.probeKind)), ("alarms", .list(alarms.map { .text($0.name) })),
                ]
                if let region = alarms.first?.region { entries.append(("region", .text(region))) }
                return YAMLText.mapping(entries).block(2, after: name)
            }.joined()
    }

    /// A probe for each region that has alarms.
    private var alarmProbes: [(name: String, alarms: [DrillAlarm])] {
        let regions = Dictionary(grouping: drill.alarms, by: \.region).sorted { ($0.key ?? "") < ($1.key ?? "") }
        return regions.enumerated().map { index, group in (index == 0 ? "alarms" : "alarms-\(index + 1)", group.value) }
    }

    private var methodSection: String {
        if drill.steps.isEmpty { return "method: []\n" }
        return "method:\n" + drill.steps.map { Self.text($0).element(2) }.joined()
    }

    private static func text(_ step: DrillStep) -> YAMLText {
        var entries: [(String, YAMLText)] = [("name", .text(step.name)), ("fault", .text(step.fault))]
        if let target = step.target { entries.append(("target", .text(target))) }
        entries += step.parameters.sorted { $0.key < $1.key }.map { ($0.key, value($0.value)) }
        if let duration = step.duration { entries.append(("duration", .plain(duration.written))) }
        entries.append(("start-after", .list(step.startAfter.map(YAMLText.text))))
        if step.delay > .zero { entries.append(("delay", .plain(step.delay.written))) }
        return .mapping(entries)
    }

    private static func value(_ json: JSONValue) -> YAMLText {
        switch json {
        case .object(let members):
            .mapping(members.sorted { $0.key < $1.key }.map { ($0.key, value($0.value)) })
        case .array(let elements): .list(elements.map(value))
        case .string(let text) where text == "true" || text == "false" || Span(parsing: text) != nil: .plain(text)
        case .string(let text): .text(text)
        case .null, .boolean, .integer, .number: .plain("")
        }
    }

    /// Actions without a step, as comments: whoever reads the file must see what it does not do.
    private var unmappedSection: String {
        unmapped.map { obstacle in
            let document = template.document["actions"]?[obstacle.name] ?? .null
            let lines = (try? JSONLayout(order: FISTemplate.keyOrder).text(document)) ?? ""
            return Self.comment("NOT IMPORTED  \(obstacle.line)")
                + lines.split(separator: "\n").map { Self.comment("  \($0)") }.joined()
        }.joined()
    }

    private var stopSection: String {
        if alarmProbes.isEmpty { return "" }
        return "stop-conditions:\n"
            + alarmProbes.map { name, _ in "  - {probe: \(name), when: \"\(DrillAlarm.metric) >= 1\", for: 0s}\n" }
            .joined()
    }

    /// The template's own length and a quarter of an hour: what AWS does takes longer than is written.
    private var limitSection: String {
        let most = max(Span.minutes(30), order.end + .minutes(15))
        return "limits: {max-duration: \(most.written)}\n"
    }

    /// One line, whatever the text holds.
    private static func comment(_ text: String) -> String {
        "# " + text.unicodeScalars.map { $0.properties.isWhitespace || $0.value < 0x20 ? " " : String($0) }.joined()
            + "\n"
    }
}
