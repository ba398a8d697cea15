internal import Basics

/// Puts an export's actions into FIS's order: what each waits for, with waits where a step has a delay.
struct FISOrdering: Sendable {
    /// Name → action, waits included.
    private(set) var actions: [String: JSONValue] = [:]
    /// Steps whose start FIS cannot say.
    private(set) var obstacles: [FISObstacle] = []

    private let drill: Drill
    /// Step → its action.
    private var ours: [String: FISAction]
    private var starts: [String: Span] = [:]
    /// Names that no wait of ours may have.
    private let reserved: Set<String>

    /// - Parameters:
    ///   - actions: step → its action.
    ///   - kept: actions of the template that no step stands for.
    init(_ drill: Drill, actions: [String: FISAction], kept: [FISAction], original: FISImport?) {
        self.drill = drill
        ours = actions
        reserved = Set(original?.template.actions.map(\.name) ?? [])
        if let original, isTimed(as: original.drill), actions.count == original.drill.steps.count {
            restore(original, kept)
            return
        }
        for step in drill.steps { _ = start(of: step.name, depth: 0) }
        for step in drill.steps where ours[step.name] != nil { place(step) }
        if let original { keep(kept, original) }
    }

    /// A name that no other action has: FIS takes 64 characters without spaces.
    static func unique(_ name: String, among taken: Set<String>) -> String {
        let short = String(name.map { $0.isWhitespace ? "-" : $0 }.prefix(60))
        if !taken.contains(short) { return short }
        return (2...).lazy.map { "\(short)-\($0)" }.first { !taken.contains($0) } ?? short
    }

    private func isTimed(as other: Drill) -> Bool {
        drill.steps.count == other.steps.count
            && drill.steps.allSatisfy { step in other.steps.contains { step.isTimed(as: $0) } }
    }

    /// No step starts at another time: the order is the template's own, its waits included.
    private mutating func restore(_ original: FISImport, _ kept: [FISAction]) {
        for action in kept + original.template.actions.filter(\.isWait) { actions[action.name] = action.document }
        for (step, action) in ours {
            let written = original.actionNames[step].flatMap { original.template.document["actions"]?[$0] }
            actions[action.name] = action.document.setting("startAfter", to: written?["startAfter"])
        }
    }

    /// When a step starts if every fault takes hold at once, from the start of the first.
    private mutating func start(of name: String, depth: Int) -> Span {
        if let known = starts[name] { return known }
        // The file has been checked for circles; this ends one all the same.
        guard let step = drill.steps.first(where: { $0.name == name }), depth <= drill.steps.count else { return .zero }
        var latest = Span.zero
        for before in step.startAfter { latest = max(latest, start(of: before, depth: depth + 1)) }
        starts[name] = latest + step.delay
        return latest + step.delay
    }

    private func length(of name: String) -> Span { ours[name]?.length ?? .zero }

    private func end(of name: String) -> Span { (starts[name] ?? .zero) + length(of: name) }

    private mutating func place(_ step: DrillStep) {
        guard let action = ours[step.name] else { return }
        let begin = starts[step.name] ?? .zero
        let before = predecessors(of: step, endingBy: begin)
        let wait = begin - (before.map { end(of: $0) }.max() ?? .zero)
        var names = before.compactMap { ours[$0]?.name }.sorted()
        if wait > .zero {
            guard FISDuration.bounds.contains(wait), let text = FISDuration.text(wait) else {
                let reason =
                    "it starts \(wait.written) after \(before.isEmpty ? "the first" : before.joined(separator: ", "))"
                obstacles.append(
                    FISObstacle(
                        name: step.name, kind: step.fault,
                        reason: "\(reason), and FIS waits whole seconds, from 1m to 12h"))
                ours[step.name] = nil
                return
            }
            let taken = reserved.union(actions.keys).union(ours.values.map(\.name))
            let name = FISOrdering.unique("wait-before-\(action.name)", among: taken)
            let pause: JSONValue = .object([
                "actionId": .string(FISAction.wait), "parameters": .object(["duration": .string(text)]),
            ])
            actions[name] = pause.setting("startAfter", to: FISOrdering.list(names))
            names = [name]
        }
        actions[action.name] = action.document.setting("startAfter", to: FISOrdering.list(names))
    }

    /// Steps before this one whose actions are over when it starts; one that is not, or that FIS cannot do, is replaced
    /// by those before it: FIS waits for ends only.
    private func predecessors(of step: DrillStep, endingBy begin: Span) -> [String] {
        var found: [String] = []
        var seen: Set<String> = [step.name]
        var open = step.startAfter
        while !open.isEmpty {
            let next = open.removeFirst()
            guard seen.insert(next).inserted else { continue }
            if ours[next] != nil, end(of: next) <= begin {
                found.append(next)
            } else {
                open += drill.steps.first { $0.name == next }?.startAfter ?? []
            }
        }
        return found
    }

    /// Enters the template's own actions, with the waits that they start after; what is gone is replaced by what was
    /// before it.
    private mutating func keep(_ kept: [FISAction], _ original: FISImport) {
        let all = Dictionary(original.template.actions.map { ($0.name, $0) }) { first, _ in first }
        var open = kept
        while let action = open.popLast() {
            guard actions[action.name] == nil else { continue }
            var names: [String] = []
            var before = action.startAfter
            while !before.isEmpty {
                let next = before.removeFirst()
                guard let known = all[next] else { continue }
                let isStep = original.actionNames.values.contains(next)
                if !isStep { open.append(known) }
                if isStep, !ours.values.contains(where: { $0.name == next }) {
                    before = known.startAfter + before
                } else if !names.contains(next) {
                    names.append(next)
                }
            }
            actions[action.name] = action.document.setting("startAfter", to: FISOrdering.list(names))
        }
    }

    private static func list(_ names: [String]) -> JSONValue? {
        names.isEmpty ? nil : .array(names.map(JSONValue.string))
    }
}

extension JSONValue {
    /// The object with another value for one key; without the key for nil.
    fileprivate func setting(_ key: String, to value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self else { return self }
        members[key] = value
        return .object(members)
    }
}
