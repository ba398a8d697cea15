internal import Basics
internal import Contracts
internal import Controller
internal import Experiment

/// A criterion as the history keeps it, so that `squall report` judges a run again from its events alone.
struct CriterionRecord: Codable {
    var kind: String
    var name: String
    var probe: String?
    var after: String?
    var parameters: JSONValue

    init(_ criterion: CriterionDeclaration) {
        kind = criterion.kind
        name = criterion.declaration.name
        probe = criterion.probe
        after = criterion.after
        parameters = criterion.declaration.parameters.json
    }

    var declaration: CriterionDeclaration {
        let place = Location(file: "events.ndjson", line: 1, column: 1)
        return CriterionDeclaration(
            kind: kind, probe: probe, after: after,
            declaration: Declaration(name: name, kind: kind, parameters: Node(parameters, at: place), location: place))
    }
}
