internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Glibc
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

/// Heals one dead run's journal and writes what was done into its history.
struct JournalHeal {
    let systems: Systems
    let contents: JournalContents

    func run() async throws -> [HealedChange] {
        let loop = try EventLoop(name: "squall-heal")
        defer { loop.stop() }
        let journal = try await JournalWriter(continuing: contents.path, loop: loop)
        let folder = contents.path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        let events = EventAppender(path: "\(folder)/events.ndjson")
        let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
        let context = systems.context(run: contents.header.run, secrets: secrets) { events.append($0) }
        let healer = Healer(registry: systems.registry, context: context)
        let results = try await healer.heal(contents.open) { record throws(JournalError) in
            try await journal.append(record)
        }
        let leftovers = results.compactMap(\.leftover)
        events.append(.cleanUp(leftovers: leftovers, at: systems.time.now))
        if results.allSatisfy(\.isHealed) { try await journal.append(.closed(at: systems.time.now)) }
        return results.map { result in
            HealedChange(
                run: contents.header.run, kind: result.intent.kind, target: result.intent.target,
                isHealed: result.isHealed,
                reason: result.failure.map { "\($0)" } ?? result.leftover?.description ?? "",
                runbook: contents.header.runbook, commands: result.commands)
        }
    }
}

/// Appends events to the history of a run that is over.
private final class EventAppender: Sendable {
    private let path: String

    init(path: String) {
        self.path = path
    }

    func append(_ event: HistoryEvent) {
        var line: [UInt8] = []
        var encoder = EventLineEncoder()
        encoder.append(event, to: &line)
        do throws(SystemError) {
            let file = try Descriptor(opening: path, flags: O_WRONLY | O_APPEND | O_CREAT, mode: 0o644)
            try file.writeAll(line, subject: path)
        } catch {
            Output.error("warning: the heal is not in the run's history: \(error)")
        }
    }
}
