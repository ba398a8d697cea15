internal import Basics
internal import Contracts
internal import Experiment

/// What an experiment and a template of FIS can both say: an import makes one, an export reads one from the file.
struct Drill: Sendable, Hashable {
    var title = ""
    var description = ""
    var targets: [String: WrittenTarget] = [:]
    var steps: [DrillStep] = []
    /// The alarms that stop it.
    var alarms: [DrillAlarm] = []

    /// What the drill is about, in one text: FIS has no title.
    var summary: String { description.isEmpty ? title : description }
}

/// A step as far as FIS is concerned.
struct DrillStep: Sendable, Hashable {
    var name: String
    var fault: String
    /// nil: a fault without a target, or between two.
    var target: String?
    var parameters: [String: JSONValue] = [:]
    var duration: Span?
    /// Steps whose faults have taken hold before.
    var startAfter: [String] = []
    var delay = Span.zero

    /// Everything but when it starts.
    func isSame(as other: DrillStep) -> Bool {
        fault == other.fault && target == other.target && parameters == other.parameters && duration == other.duration
    }

    /// Whether it starts when the other one does.
    func isTimed(as other: DrillStep) -> Bool {
        name == other.name && startAfter == other.startAfter && delay == other.delay && duration == other.duration
    }
}

/// An alarm of CloudWatch.
struct DrillAlarm: Sendable, Hashable {
    static let probeKind = "cloudwatch.alarm"
    static let metric = "alarms"

    var name: String
    var region: String?

    init(name: String, region: String?) {
        self.name = name
        self.region = region
    }

    /// `arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors`, or the alarm's name alone.
    init(_ text: String, region: String?) {
        guard let arn = ARN(text), arn.resource.hasPrefix("alarm:") else {
            self.init(name: text, region: region)
            return
        }
        self.init(name: String(arn.resource.dropFirst("alarm:".count)), region: arn.region ?? region)
    }
}

extension Drill {
    /// Reads an experiment; what FIS cannot say beyond its steps and targets is returned as obstacles.
    static func read(_ experiment: Experiment) -> (drill: Drill, obstacles: [FISObstacle]) {
        var drill = Drill()
        drill.title = experiment.title
        drill.description = experiment.description
        for target in experiment.targets { drill.targets[target.name] = WrittenTarget(target) }
        for (index, step) in experiment.method.enumerated() {
            let before = index > 0 ? [experiment.method[index - 1].name] : []
            drill.steps.append(
                DrillStep(
                    name: step.name, fault: step.fault.kind,
                    target: step.targets.count == 1 ? step.targets[0].value : nil,
                    parameters: parameters(step.fault), duration: step.duration,
                    startAfter: step.startAfter ?? before, delay: step.delay))
        }
        let obstacles = drill.readAlarms(experiment)
        return (drill, obstacles)
    }

    /// A single value may stand for a list of one: an SSM document's parameters are lists always.
    private static func parameters(_ declaration: Declaration) -> [String: JSONValue] {
        var parameters = declaration.parameters.json.object ?? [:]
        if let values = parameters["parameters"]?.object {
            parameters["parameters"] = .object(values.mapValues { .array(texts($0).map(JSONValue.string)) })
        }
        return parameters
    }

    /// Stop conditions on alarms are FIS's own; any other one cannot be kept there.
    private mutating func readAlarms(_ experiment: Experiment) -> [FISObstacle] {
        var obstacles: [FISObstacle] = []
        for condition in experiment.stopConditions {
            let probe = experiment.probes.first { $0.name == condition.probe }
            // That Squall does not see an alarm is its own affair: FIS reads its alarms itself.
            if probe?.kind == DrillAlarm.probeKind, condition.when.metric == "unreachable" { continue }
            guard let probe, probe.kind == DrillAlarm.probeKind, condition.when.isOnAnyAlarm else {
                let reason = "FIS stops on alarms of CloudWatch only, and this stop condition is on something else"
                obstacles.append(
                    FISObstacle(name: condition.probe, kind: "stop condition \(condition.when)", reason: reason))
                continue
            }
            let json = probe.parameters.json
            for text in texts(json["alarms"]) {
                let alarm = DrillAlarm(text, region: json["region"]?.string)
                if !alarms.contains(alarm) { alarms.append(alarm) }
            }
        }
        return obstacles
    }
}

extension MetricCondition {
    /// `alarms >= 1` or `alarms > 0`: what FIS does when any alarm goes off.
    fileprivate var isOnAnyAlarm: Bool {
        guard metric == DrillAlarm.metric, let bound = comparison.bound.magnitude else { return false }
        switch comparison.relation {
        case .atLeast: return bound > 0 && bound <= 1
        case .above: return bound >= 0 && bound < 1
        case .atMost, .below, .equal, .notEqual: return false
        }
    }
}
