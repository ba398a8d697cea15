package import Basics
package import Experiment

/// An experiment template of AWS FIS as its JSON says it: kept whole, so that what Squall does not know stays.
package struct FISTemplate: Sendable, Hashable {
    /// CreateExperimentTemplate's input, or what GetExperimentTemplate answers, without its wrapper.
    package var document: [String: JSONValue]

    /// What only answers hold: FIS makes it.
    static let readOnly: Set<String> = [
        "id", "arn", "creationTime", "lastUpdateTime", "targetAccountConfigurationsCount",
    ]
    /// How a template is printed: in the order in which people read it.
    package static let keyOrder = [
        "clientToken", "description", "roleArn", "stopConditions", "source", "value", "actions", "actionId",
        "parameters", "startAfter", "targets", "resourceType", "resourceArns", "resourceTags", "filters", "path",
        "values", "selectionMode", "experimentOptions", "logConfiguration", "experimentReportConfiguration", "tags",
    ]

    init(document: [String: JSONValue]) {
        self.document = document
    }

    /// Reads `{"experimentTemplate": {…}}` or the bare template, and checks its shape: all findings at once.
    package init(parsing text: String) throws(InvalidInput) {
        var findings = Diagnostics()
        let root = FISTemplate.root(text, &findings)
        document = root ?? [:]
        if root != nil { check(&findings) }
        if findings.hasErrors { throw InvalidInput(findings) }
    }

    private static func root(_ text: String, _ findings: inout Diagnostics) -> [String: JSONValue]? {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: text)
        } catch {
            findings.error("this is no JSON", at: nil, notes: ["aws fis get-experiment-template --id EXT…"])
            return nil
        }
        let root = json["experimentTemplate"]?.object ?? json.object ?? [:]
        if root["actions"] != nil { return root }
        let isOther = root["Actions"] != nil || root["Resources"] != nil || root["Properties"] != nil
        findings.error(
            isOther
                ? "this is CloudFormation's form of a template" : "this is no FIS experiment template: no 'actions'",
            at: nil, notes: ["aws fis get-experiment-template --id EXT… prints the form that can be read"])
        return nil
    }

    private func check(_ findings: inout Diagnostics) {
        for key in ["actions", "targets"] where document[key]?.object == nil && document[key] != nil {
            findings.error("'\(key)' must be an object of names", at: nil)
        }
        let names = Set(actions.map(\.name))
        for action in actions {
            if action.id.isEmpty { findings.error("action '\(action.name)' has no actionId", at: nil) }
            if action.isWait, action.parameters["duration"]?.string.flatMap({ FISDuration.parse($0) }) == nil {
                findings.error("action '\(action.name)' says no length of time to wait (PT5M)", at: nil)
            }
            for name in action.startAfter where !names.contains(name) {
                findings.error("action '\(action.name)' starts after '\(name)', which is not there", at: nil)
            }
            for target in action.targets.values where targets[target] == nil {
                findings.error("action '\(action.name)' has the target '\(target)', which is not there", at: nil)
            }
        }
        if !findings.hasErrors, let circle = FISOrder(actions).circle {
            findings.error("these actions wait for each other: \(circle.joined(separator: ", "))", at: nil)
        }
    }

    /// In the order of their names: JSON has none.
    var actions: [FISAction] {
        (document["actions"]?.object ?? [:]).sorted { $0.key < $1.key }.map {
            FISAction(name: $0.key, document: $0.value)
        }
    }

    var targets: [String: JSONValue] { document["targets"]?.object ?? [:] }

    /// The ARNs of the alarms that stop it.
    var alarms: [String] {
        (document["stopConditions"]?.array ?? []).filter { $0["source"]?.string == "aws:cloudwatch:alarm" }
            .compactMap { $0["value"]?.string }
    }

    /// What CreateExperimentTemplate takes of it.
    package var writable: FISTemplate {
        FISTemplate(document: document.filter { !FISTemplate.readOnly.contains($0.key) })
    }
}

/// One action of a template.
struct FISAction: Sendable, Hashable {
    static let wait = "aws:fis:wait"

    var name: String
    /// The action as it is written.
    var document: JSONValue

    /// `aws:ec2:stop-instances`; empty when none is written.
    var id: String { document["actionId"]?.string ?? "" }
    var parameters: [String: JSONValue] { document["parameters"]?.object ?? [:] }
    /// What the action calls its target (`Instances`) → the target's name.
    var targets: [String: String] { (document["targets"]?.object ?? [:]).compactMapValues(\.string) }
    var startAfter: [String] { (document["startAfter"]?.array ?? []).compactMap(\.string) }
    var isWait: Bool { id == FISAction.wait }

    /// How long it lasts when nothing goes wrong; zero for what is over when it has taken hold.
    var length: Span {
        // A command is over when its document is, at most after its duration; ours is confirmed then.
        if id == "aws:ssm:send-command" { return .zero }
        let keys = ["duration", "startInstancesAfterDuration", "maxDuration"]
        return keys.lazy.compactMap { parameters[$0]?.string }.compactMap(FISDuration.parse).first ?? .zero
    }
}
