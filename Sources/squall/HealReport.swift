internal import Journal

/// What `squall heal` did, for people and for programs.
struct HealReport: Encodable {
    /// A journal whose heal itself could not be done.
    struct Failure: Encodable {
        var path: String
        var reason: String
    }

    /// A run whose journal was deleted before it was healed.
    struct Lost: Encodable {
        var run: String
        var journal: String
    }

    /// For changes of runs that name no runbook of their own.
    static let generalRunbook = "runbooks/heal-by-hand.md"

    var healed: [HealedChange] = []
    var refused: [RefusedJournal] = []
    var failed: [Failure] = []
    var lost: [Lost] = []
    /// Journals of runs that are alive.
    var inProgress: [String] = []
    /// Journals of dead runs that somebody else, their medic most likely, is healing: whether that succeeds is not known.
    var beingHealed: [String] = []
    /// Journals that nobody will heal any more, because somebody said so.
    var abandoned: [String] = []

    /// nil: all is clean. One run that was asked for and is in progress is not, and was not touched: 2.
    func exitCode(isOneRun: Bool) -> Int32? {
        if !abandoned.isEmpty { return nil }
        let isClean =
            beingHealed.isEmpty && refused.isEmpty && failed.isEmpty && lost.isEmpty && healed.allSatisfy(\.isHealed)
        if !isClean { return 6 }
        return isOneRun && !inProgress.isEmpty ? 2 : nil
    }

    func show() {
        for change in healed { show(change) }
        for path in inProgress { Output.line("in progress: \(path) (not touched)") }
        for path in beingHealed { Output.line("being healed by its medic: \(path) (look again: squall leftovers)") }
        for journal in refused { journal.show() }
        for failure in failed { Output.error("error: \(failure.path) was not healed: \(failure.reason)") }
        for entry in lost {
            Output.error("error: run \(entry.run) was never closed, and its journal \(entry.journal) is gone")
            Output.error("  what it left can only be looked for: squall leftovers")
            Output.error("  when that is done: squall heal --run \(entry.run) --abandon")
        }
        for path in abandoned { Output.line("abandoned: \(path) (nobody will heal what it tells of)") }
        if healed.isEmpty, beingHealed.isEmpty, refused.isEmpty, failed.isEmpty, lost.isEmpty, abandoned.isEmpty {
            Output.line("nothing to heal")
        }
    }

    private func show(_ change: HealedChange) {
        Output.line("\(change.isHealed ? "healed" : "NOT HEALED")  \(change.kind)  \(change.target)  (\(change.run))")
        guard !change.isHealed else { return }
        Output.line("  why: \(change.reason)")
        Output.line("  runbook: \(change.runbook ?? Self.generalRunbook)")
        for command in change.commands { Output.line("  by hand: \(command)") }
    }
}
