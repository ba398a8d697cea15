internal import Experiment

/// What `--target` or `--against` says, key=value by key=value, as a selection of the experiment file.
struct TargetConditions {
    private let option: String
    private let pairs: [(key: String, value: String)]
    private let place: Location

    init(_ texts: [String], option: String, at place: Location) throws {
        self.option = option
        self.place = place
        pairs = try texts.map { text in
            guard let split = text.firstIndex(of: "="), split != text.startIndex else {
                throw failure(2, "\(option) '\(text)' must be key=value", next: "\(option) name=web-1")
            }
            return (String(text[..<split]), String(text[text.index(after: split)...]))
        }
    }

    /// Containers, unless an address or `aws=TYPE` is among the conditions.
    func declaration(_ name: String, mode: SelectionMode) throws -> TargetDeclaration {
        let (kind, parameters): (String, Node.Mapping)
        if pairs.contains(where: { $0.key == "address" }) {
            (kind, parameters) = ("addresses", try addresses())
        } else if pairs.contains(where: { $0.key == "aws" }) {
            (kind, parameters) = ("aws", resources())
        } else {
            (kind, parameters) = ("docker", containers())
        }
        let source = Declaration(name: name, kind: kind, parameters: .mapping(parameters), location: place)
        let selection: SelectionMode = kind == "addresses" ? .all : mode
        return TargetDeclaration(name: name, source: .kind(source), mode: selection, location: place)
    }

    private func addresses() throws -> Node.Mapping {
        guard pairs.allSatisfy({ $0.key == "address" }) else {
            throw failure(2, "a side has addresses or containers, not both", next: "\(option) address=10.0.0.0/8")
        }
        return mapping([("list", .sequence(pairs.map { text($0.value) }, place))])
    }

    private func containers() -> Node.Mapping {
        let others = pairs.filter { !$0.key.hasPrefix("label.") }
        return mapping(
            others.map { ($0.key == "name" ? "names" : $0.key, text($0.value)) } + prefixed("label.", as: "labels"))
    }

    /// `aws=ec2-instance`, then `id`, `arn`, `tag.KEY`, and what else a target of AWS has.
    private func resources() -> Node.Mapping {
        func list(_ key: String, as name: String) -> [(String, Node)] {
            let values = pairs.filter { $0.key == key }.map { text($0.value) }
            return values.isEmpty ? [] : [(name, .sequence(values, place))]
        }
        let others = pairs.filter { !["id", "arn"].contains($0.key) && !$0.key.hasPrefix("tag.") }
        return mapping(
            others.map { ($0.key == "aws" ? "type" : $0.key, text($0.value)) } + list("id", as: "ids")
                + list("arn", as: "arns") + prefixed("tag.", as: "tags"))
    }

    /// `label.app=web` and its like, as one mapping under a name; nothing when there is none.
    private func prefixed(_ prefix: String, as name: String) -> [(String, Node)] {
        let members = pairs.filter { $0.key.hasPrefix(prefix) }
            .map { (String($0.key.dropFirst(prefix.count)), text($0.value)) }
        return members.isEmpty ? [] : [(name, .mapping(mapping(members)))]
    }

    private func mapping(_ entries: [(String, Node)]) -> Node.Mapping {
        Node.Mapping(entries.map { Node.Entry($0.0, at: place, $0.1) }, at: place)
    }

    private func text(_ value: String) -> Node { .scalar(Node.Scalar(value, isQuoted: true, at: place)) }
}
