internal import Basics

/// Resolves what steps wait for, and refuses steps that wait for each other.
struct StepOrder {
    let drafts: [MethodReader.Draft]
    let groups: [String: [String]]
    var diagnostics = Diagnostics()

    init(_ method: MethodReader) {
        drafts = method.drafts
        groups = method.groups
    }

    /// The steps with `startAfter` filled in.
    mutating func resolve() -> [Step] {
        let names = Set(drafts.map(\.step.name))
        let steps = drafts.map { draft in
            var step = draft.step
            step.startAfter = draft.after.map { references in
                references.flatMap { resolve($0, among: names, draft.inclusions) }
            }
            return step
        }
        if !diagnostics.hasErrors { findCycle(steps) }
        return steps
    }

    /// Refuses durations that do nothing, and those that the run's own limit would cut short.
    mutating func checkDurations(against limits: Limits) {
        for draft in drafts {
            guard let duration = draft.step.duration, let place = draft.durationLocation, place.line > 0 else {
                continue
            }
            if duration <= .zero {
                diagnostics.error("a fault that lasts \(duration) does nothing", at: place)
            } else if draft.step.delay + duration > limits.maxDuration {
                diagnostics.error(
                    "the fault would last \(duration), and the whole run may last \(limits.maxDuration)", at: place,
                    notes: ["shorten it, or raise limits: {max-duration: …}"])
            }
        }
    }

    private mutating func resolve(
        _ reference: MethodReader.Reference, among names: Set<String>, _ inclusions: [Location]
    ) -> [String] {
        if reference.name.isEmpty { return [] }
        let full = reference.prefix + reference.name
        if names.contains(full) { return [full] }
        if let steps = groups[full] { return steps }
        let known = (names.sorted() + groups.keys.sorted()).filter { $0.hasPrefix(reference.prefix) }
            .map { String($0.dropFirst(reference.prefix.count)) }
        let nearest = suggestion(for: reference.name, among: known).map { "did you mean '\($0)'?" }
        diagnostics.error(
            "no step is named '\(reference.name)'", at: reference.location,
            notes: [nearest ?? "steps: \(known.joined(separator: ", "))"]
                + inclusions.map { "included at \($0.file):\($0.line):\($0.column)" })
        return []
    }

    /// A step without `start-after` waits for the one before it in the file, which counts here too.
    private mutating func findCycle(_ steps: [Step]) {
        var waitsFor: [String: [String]] = [:]
        for (index, step) in steps.enumerated() {
            waitsFor[step.name] = step.startAfter ?? (index > 0 ? [steps[index - 1].name] : [])
        }
        var finished: Set<String> = []
        for step in steps {
            guard let cycle = cycle(from: step.name, waitsFor, path: [], &finished) else { continue }
            report(cycle)
            return
        }
    }

    private func cycle(
        from name: String, _ waitsFor: [String: [String]], path: [String], _ finished: inout Set<String>
    ) -> [String]? {
        if finished.contains(name) { return nil }
        if let start = path.firstIndex(of: name) { return path[start...] + [name] }
        for next in waitsFor[name] ?? [] {
            if let found = cycle(from: next, waitsFor, path: path + [name], &finished) { return found }
        }
        finished.insert(name)
        return nil
    }

    private mutating func report(_ cycle: [String]) {
        let explicit = drafts.first { cycle.contains($0.step.name) && $0.after != nil }
        let place = explicit?.after?.first?.location ?? explicit?.step.location
        diagnostics.error(
            "these steps wait for each other: \(cycle.joined(separator: " → "))", at: place,
            notes: ["a step without start-after waits for the step before it"])
    }
}
