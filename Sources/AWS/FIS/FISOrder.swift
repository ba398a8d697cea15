internal import Basics

/// The order of a template's actions: what starts when, if everything takes as long as is written.
///
/// FIS starts an action when those before it have *ended*; Squall starts a step when those before it have taken
/// *hold*. Both have one timeline in which every fault takes hold at once; it is what an import and an export keep.
struct FISOrder: Sendable {
    private let actions: [String: FISAction]
    private(set) var starts: [String: Span] = [:]
    /// The names of actions that wait for each other; nil when none do.
    private(set) var circle: [String]?

    init(_ actions: [FISAction]) {
        self.actions = Dictionary(actions.map { ($0.name, $0) }) { first, _ in first }
        for action in actions { _ = start(of: action.name, path: []) }
    }

    private mutating func start(of name: String, path: [String]) -> Span {
        if let known = starts[name] { return known }
        if let first = path.firstIndex(of: name) {
            circle = circle ?? path[first...] + [name]
            return .zero
        }
        var latest = Span.zero
        for before in actions[name]?.startAfter ?? [] where actions[before] != nil {
            latest = max(latest, start(of: before, path: path + [name]) + length(of: before))
        }
        starts[name] = latest
        return latest
    }

    func length(of name: String) -> Span { actions[name]?.length ?? .zero }

    func start(of name: String) -> Span { starts[name] ?? .zero }

    /// When the last action is over.
    var end: Span { starts.map { $0.value + length(of: $0.key) }.max() ?? .zero }

    /// The actions before this one among those in `kept`; what is not is replaced by what is before it.
    func predecessors(of name: String, keeping kept: Set<String>) -> [String] {
        var found: [String] = []
        var seen: Set<String> = [name]
        var open = actions[name]?.startAfter ?? []
        while !open.isEmpty {
            let next = open.removeFirst()
            guard seen.insert(next).inserted else { continue }
            if kept.contains(next) { found.append(next) } else { open += actions[next]?.startAfter ?? [] }
        }
        return found
    }
}
