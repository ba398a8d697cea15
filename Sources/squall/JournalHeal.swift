internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Journal

/// One change that `heal` dealt with.
struct HealedChange: Encodable {
    var run: String
    var kind: String
    var target: String
    var isHealed: Bool
    var reason: String
    var runbook: String?
    var commands: [String]
}

/// Heals one dead run's journal and writes what was done into its history and its files.
struct JournalHeal {
    let systems: Systems
    let contents: JournalContents

    func run() async throws -> [HealedChange] {
        let loop = try EventLoop(name: "squall-heal")
        defer { loop.stop() }
        let aftermath = Aftermath(journal: contents.path, run: contents.header.run)
        aftermath.controllerEnded()
        let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
        let context = systems.context(run: contents.header.run, secrets: secrets) { aftermath.append($0) }
        let takeover = Takeover(
            store: FileJournal(path: contents.path, loop: loop),
            healer: Healer(registry: systems.registry, context: context), context: context)
        let cause = AbortReason.controllerDied("it ended without healing; squall heal cleaned up")
        let outcome = try await takeover.run(cause: aftermath.hasEnded ? nil : cause)
        do {
            try aftermath.conclude(outcome)
        } catch {
            Output.error("warning: the run's files were not written anew: \(error)")
        }
        return outcome.results.map { result in
            HealedChange(
                run: contents.header.run, kind: result.intent.kind, target: result.intent.targetName,
                isHealed: result.isHealed, reason: result.remaining?.description ?? "",
                runbook: contents.header.runbook, commands: result.commands)
        }
    }
}
