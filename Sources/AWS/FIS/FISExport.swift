internal import Basics
internal import Contracts
package import Experiment

/// An experiment as an FIS template, for the steps that FIS can do.
///
/// With the template that the experiment was made of, what was not changed in the experiment since is written as it was
/// there, to the letter, what Squall does not know included; so an import and an export leave a template as it was, up
/// to what FIS itself makes (`FISTemplate.readOnly`) and the client token.
package struct FISExport: Sendable {
    /// Steps and stop conditions that FIS cannot do, each with the reason.
    package private(set) var obstacles: [FISObstacle] = []
    /// What a person should know of the template.
    package private(set) var notes: [String] = []
    /// CreateExperimentTemplate's input, without the steps that FIS cannot do.
    package private(set) var template = FISTemplate(document: [:])

    /// Whether any step is in it: FIS takes no template without an action.
    package var hasActions: Bool { template.document["actions"]?.object?.isEmpty == false }

    private let drill: Drill
    private let original: FISImport?
    private let place: FISPlace
    /// Step → the action for it, without what it waits for.
    private var actions: [String: FISAction] = [:]
    private var targets: [String: JSONValue] = [:]

    /// - Parameter original: the template that the experiment was made of, if it was.
    package init(_ experiment: Experiment, original: FISTemplate?, roleARN: String?) {
        let (drill, obstacles) = Drill.read(experiment)
        self.drill = drill
        self.obstacles = obstacles
        self.original = original.map { FISImport($0) }
        place = FISExport.place(drill, original, roleARN)
        makeActions()
        assemble(roleARN)
    }

    /// Where it runs: what the targets say, then the template, then the alarms; the role is of the account.
    private static func place(_ drill: Drill, _ original: FISTemplate?, _ roleARN: String?) -> FISPlace {
        let targets = drill.targets.sorted { $0.key < $1.key }.map(\.value)
        let role = roleARN ?? original?.document["roleArn"]?.string
        let names = ([original?.document["arn"]?.string].compactMap { $0 } + (original?.alarms ?? [])).compactMap {
            ARN($0)
        }
        let accounts = [role.flatMap { ARN($0)?.account }] + targets.map(\.writtenAccount) + names.map(\.account)
        let regions = targets.map(\.writtenRegion) + names.map(\.region) + drill.alarms.map(\.region)
        return FISPlace(
            region: regions.lazy.compactMap { $0 }.first,
            account: accounts.lazy.compactMap { $0 }.first { !$0.isEmpty })
    }

    private mutating func makeActions() {
        for step in drill.steps {
            do throws(FISReason) {
                try makeAction(step)
            } catch {
                obstacles.append(FISObstacle(name: step.name, kind: step.fault, reason: error.text))
            }
        }
    }

    private mutating func makeAction(_ step: DrillStep) throws(FISReason) {
        guard let map = FISActionMap.of(fault: step.fault) else {
            throw FISReason(FISActionMap.whyNot(fault: step.fault))
        }
        guard let name = step.target, let target = drill.targets[name] else {
            throw FISReason("its target is found by a probe or outside AWS, and FIS knows neither")
        }
        if let region = target.writtenRegion, let common = place.region, region != common {
            throw FISReason("its target is in \(region), and a template is of one region, here \(common)")
        }
        let written =
            original?.targetNames[name]
            ?? FISOrdering.unique(name, among: Set((original?.template.targets ?? [:]).keys))
        // Before anything is entered: an obstacle leaves nothing behind.
        let targetJSON = try json(target, name)
        let document = try document(step, map, target: written)
        targets[written] = targetJSON
        let taken = Set(actions.values.map(\.name)).union(original?.template.actions.map(\.name) ?? [])
        let actionName = original?.actionNames[step.name] ?? FISOrdering.unique(step.name, among: taken)
        actions[step.name] = FISAction(name: actionName, document: document)
    }

    /// The target as it was in the template when it is the same, else anew.
    private func json(_ target: WrittenTarget, _ name: String) throws(FISReason) -> JSONValue {
        if let original, original.drill.targets[name] == target, let written = original.targetNames[name],
            let json = original.template.targets[written]
        {
            return json
        }
        return .object(try FISTargetMap.json(target, place))
    }

    /// The action as it was in the template when the step is the same; one that was changed keeps what only FIS knows.
    private func document(_ step: DrillStep, _ map: FISActionMap, target: String) throws(FISReason) -> JSONValue {
        let before = original?.drill.steps.first { $0.name == step.name }
        let old = original.flatMap { original in
            original.actionNames[step.name].flatMap { original.template.document["actions"]?[$0]?.object }
        }
        if let before, let old, before.isSame(as: step) { return .object(old) }
        var document = old?["actionId"]?.string == map.action ? old ?? [:] : [:]
        document["actionId"] = .string(map.action)
        document["targets"] = .object([map.role: .string(target)])
        var parameters = document["parameters"]?.object ?? [:]
        for key in map.ownKeys { parameters[key] = nil }
        parameters.merge(try map.parameters(of: step, place)) { _, new in new }
        document["parameters"] = parameters.isEmpty ? nil : .object(parameters)
        return .object(document)
    }

    /// The template's actions that never became a step: the experiment says nothing about them.
    private var kept: [FISAction] {
        let names = Set((original?.unmapped ?? []).map(\.name))
        return original?.template.actions.filter { names.contains($0.name) } ?? []
    }

    private mutating func assemble(_ roleARN: String?) {
        var document = original?.template.writable.document ?? [:]
        let ordering = FISOrdering(drill, actions: actions, kept: kept, original: original)
        obstacles += ordering.obstacles
        for action in kept {
            notes.append("action \(action.name) stays as it is in the template: no step stands for it")
        }
        document["actions"] = .object(ordering.actions)
        let used = Set(ordering.actions.values.flatMap { FISAction(name: "", document: $0).targets.values })
        let ours = targets.filter { used.contains($0.key) }
        document["targets"] = .object(ours.merging(untouchedTargets) { ours, _ in ours })
        if original?.drill.summary != drill.summary { document["description"] = .string(description) }
        document["stopConditions"] = stopConditions()
        if let roleARN { document["roleArn"] = .string(roleARN) }
        if document["roleArn"] == nil {
            notes.append("it has no roleArn, which FIS requires: give --role-arn here, or to the aws command")
        }
        if ordering.actions.count > 20 {
            notes.append("FIS takes 20 actions in a template unless the quota was raised")
        }
        document["clientToken"] = token(document)
        template = FISTemplate(document: document)
    }

    /// Targets of the template that no step here ever had.
    private var untouchedTargets: [String: JSONValue] {
        guard let original else { return [:] }
        let ours = Set(original.targetNames.values)
        let needed = Set(kept.flatMap { $0.targets.values })
        return original.template.targets.filter { !ours.contains($0.key) || needed.contains($0.key) }
    }

    /// FIS takes 512 characters.
    private var description: String { drill.summary.count > 512 ? "\(drill.summary.prefix(511))…" : drill.summary }

    private mutating func stopConditions() -> JSONValue {
        if let original, Set(original.drill.alarms) == Set(drill.alarms),
            let conditions = original.template.document["stopConditions"]
        {
            return conditions
        }
        var conditions: [JSONValue] = []
        for alarm in drill.alarms {
            do throws(FISReason) {
                let arn = try place.arn("cloudwatch", "alarm:\(alarm.name)", region: alarm.region)
                conditions.append(.object(["source": .string("aws:cloudwatch:alarm"), "value": .string(arn)]))
            } catch {
                obstacles.append(FISObstacle(name: alarm.name, kind: DrillAlarm.probeKind, reason: error.text))
            }
        }
        if conditions.count > 5 { notes.append("FIS takes five stop conditions, and these are \(conditions.count)") }
        if !conditions.isEmpty { return .array(conditions) }
        notes.append("nothing stops it: no stop condition is on an alarm of CloudWatch")
        return .array([.object(["source": .string("none")])])
    }

    /// The template's own while it says the same; else one made of what it says, so that sending it twice makes one.
    private func token(_ document: [String: JSONValue]) -> JSONValue {
        if let token = document["clientToken"], document == original?.template.writable.document { return token }
        var content = document
        content["clientToken"] = nil
        let text = (try? JSONValue.object(content).text()) ?? ""
        return .string("squall-\(Digest.hexadecimal(Digest.sha256(text.utf8)).prefix(32))")
    }
}

extension FISActionMap {
    /// The parameters of the action that a step says.
    fileprivate var ownKeys: [String] {
        rules.map { rule in
            switch rule {
            case .duration(let key), .timeout(let key), .flag(let key, _): key
            case .document: "documentArn"
            case .documentParameters: "documentParameters"
            case .scope: "scope"
            }
        }
    }
}
