internal import Basics
internal import Contracts
internal import Experiment

/// An FIS template as an experiment of Squall.
///
/// What the experiment's format has no place for (FIS's own tags, options, logging, descriptions of actions, unknown
/// parameters) is not put into it: the format is closed, and a comment would be lost by the first tool that rewrites
/// the file. The template lies beside the experiment instead, byte for byte, as `NAME.fis.json`; an export starts from
/// it and changes only what was changed in the experiment since.
package struct FISImport: Sendable {
    /// Actions that no step stands for, each with the reason; waits are delays and are not among them.
    package private(set) var unmapped: [FISObstacle] = []
    /// What a person should know of the steps that there are.
    package private(set) var notes: [String] = []

    let template: FISTemplate
    private(set) var drill = Drill()
    /// Step → action; the same for targets. Names of FIS may hold what names here may not.
    private(set) var actionNames: [String: String] = [:]
    private(set) var targetNames: [String: String] = [:]
    private(set) var order: FISOrder

    package init(_ template: FISTemplate) {
        self.template = template
        order = FISOrder(template.actions)
        readHead()
        readOptions()
        readAlarms()
        readSteps()
    }

    /// The region of the template's own name, or of its alarms.
    private var region: String? {
        let names = [template.document["arn"]?.string].compactMap { $0 } + template.alarms
        return names.lazy.compactMap { ARN($0)?.region }.first
    }

    private mutating func readHead() {
        let description = template.document["description"]?.string ?? ""
        let name = template.document["tags"]?["Name"]?.string ?? ""
        let firstLine = description.split(separator: "\n").first.map(String.init) ?? ""
        let id = template.document["id"]?.string ?? ""
        drill.title = [name, firstLine, "FIS template \(id)"].first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        drill.description = description == drill.title ? "" : description
    }

    /// What FIS does with the whole of a template, and Squall does not.
    private mutating func readOptions() {
        let options = template.document["experimentOptions"]
        if options?["emptyTargetResolutionMode"]?.string == "skip" {
            notes.append("FIS skips an action whose target is empty; Squall does not inject the step and says so")
        }
        if let targeting = options?["accountTargeting"]?.string, targeting != "single-account" {
            notes.append("the template is for \(targeting); Squall acts in the account of its credentials only")
        }
    }

    private mutating func readAlarms() {
        for text in template.alarms {
            let alarm = DrillAlarm(text, region: nil)
            if !drill.alarms.contains(alarm) { drill.alarms.append(alarm) }
        }
        if drill.alarms.isEmpty { notes.append("the template has no alarm that stops it: add stop-conditions") }
    }

    private mutating func readSteps() {
        var mapped: [(action: FISAction, step: DrillStep)] = []
        for action in template.actions where !action.isWait {
            do throws(FISReason) {
                mapped.append((action, try step(of: action)))
            } catch {
                unmapped.append(FISObstacle(name: action.name, kind: action.id, reason: error.text))
            }
        }
        mapped.sort {
            (order.start(of: $0.action.name), $0.action.name) < (order.start(of: $1.action.name), $1.action.name)
        }
        let stepNames = Dictionary(mapped.map { ($0.action.name, $0.step.name) }) { first, _ in first }
        let kept = Set(stepNames.keys)
        for (action, step) in mapped {
            let before = order.predecessors(of: action.name, keeping: kept)
            var step = step
            step.startAfter = before.compactMap { stepNames[$0] }
            // A step starts when those before it have taken hold, an action when they have ended: the delay makes up.
            step.delay = order.start(of: action.name) - (before.map { order.start(of: $0) }.max() ?? .zero)
            drill.steps.append(step)
        }
    }

    private mutating func step(of action: FISAction) throws(FISReason) -> DrillStep {
        guard let map = FISActionMap.of(action: action.id) else {
            throw FISReason(FISActionMap.whyNot(action: action.id))
        }
        guard let targetName = action.targets[map.role], let json = template.targets[targetName] else {
            throw FISReason("it names no target as \(map.role)")
        }
        let target = try FISTargetMap.target(json, region: region)
        guard target.type == map.type else {
            throw FISReason("its target is a \(target.type.rawValue), and \(map.fault) acts on a \(map.type.rawValue)")
        }
        let settings = try map.settings(of: action)
        notes += settings.notes
        let name = Self.unique(action.name, among: actionNames)
        actionNames[name] = action.name
        return DrillStep(
            name: name, fault: map.fault, target: declare(targetName, target), parameters: settings.parameters,
            duration: settings.duration)
    }

    /// The name here of a target of the template; two actions may share one.
    private mutating func declare(_ written: String, _ target: WrittenTarget) -> String {
        if let known = targetNames.first(where: { $0.value == written }) { return known.key }
        let name = Self.unique(written, among: targetNames)
        targetNames[name] = written
        drill.targets[name] = target
        if target.arns.isEmpty, target.region == nil {
            notes.append("target \(name): the template names no region; the one of the environment is meant then")
        }
        return name
    }

    /// A name of letters, digits, '_', '-' and '.', which begins with a letter and is not taken.
    private static func unique(_ text: String, among taken: [String: String]) -> String {
        func isAllowed(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "_-.".utf8.contains(byte)
        }
        let plain = text.unicodeScalars.map { scalar in
            scalar.isASCII && isAllowed(UInt8(scalar.value)) ? String(scalar) : "-"
        }.joined()
        let isNamed = plain.first.map { $0.isLetter || $0 == "_" } ?? false
        let name = isNamed ? plain : "step-\(plain)"
        if taken[name] == nil { return name }
        return (2...).lazy.map { "\(name)-\($0)" }.first { taken[$0] == nil } ?? name
    }
}
