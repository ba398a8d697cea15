internal import Basics
internal import Contracts
internal import Controller
internal import Experiment
internal import Journal
internal import Process

/// What is left of ours in the systems, as journals tell of it and as the systems themselves show it.
struct LeftoverReport: Encodable {
    var leftovers: [Leftover] = []
    /// Systems that did not answer and of which no journal says that something is open there.
    var unknown: [SystemScan] = []
    /// Journals of runs that are alive or are being healed.
    var inProgress: [String] = []
    /// How many systems answered.
    var asked = 0

    init(_ journals: DirtyJournals, _ known: KnownSystems, systems: Systems) async {
        inProgress = journals.live + journals.beingHealed
        var reported: Set<String> = []
        for contents in journals.dirty {
            let found = await read(contents, systems)
            // The marks of these are theirs: not a second leftover.
            for leftover in found { reported.insert("\(contents.header.run) \(leftover.kind)") }
            leftovers += found
        }
        for (path, error) in journals.unreadable {
            leftovers.append(Leftover(kind: "journal", target: path, description: "\(error)"))
        }
        for entry in journals.lost {
            leftovers.append(
                Leftover(
                    kind: "journal", target: entry.journal,
                    description: "run \(entry.run) was never closed, and its journal is gone",
                    commands: ["squall heal --run \(entry.run) --abandon   (when nothing else is listed here)"]))
        }
        let alive = Set(inProgress.compactMap { try? JournalReader.read($0).header.run }).union(watched(systems.host))
        for scan in await Self.scans(known, systems) { take(scan, alive: alive, reported: reported) }
    }

    private static func scans(_ known: KnownSystems, _ systems: Systems) async -> [SystemScan] {
        let context = systems.context(run: "leftovers", secrets: []) { _ in }
        var scans: [SystemScan] = []
        for scanner in systems.registry.scanners { scans += await scanner.scan(known, in: context) }
        // Without a usable configuration there is no engine to ask, and why is known.
        guard let problem = systems.engineProblem else { return scans }
        for index in scans.indices where scans[index].system == "docker engine" {
            scans[index].failure = "\(problem)"
        }
        return scans
    }

    /// Runs of other folders, and of other users, that a medic on this machine watches: it will heal what bears their mark.
    private func watched(_ table: any ProcessTable) -> [String] {
        // Without a process table every mark counts as left over, which is the safe side.
        let medics = ((try? table.processes()) ?? []).filter { $0.arguments.dropFirst().first == "medic" }
        return medics.compactMap { medic in
            let path = medic.arguments.last { $0.hasSuffix("/journal") }
            return path?.split(separator: "/").dropLast().last.map(String.init)
        }
    }

    private func read(_ contents: JournalContents, _ systems: Systems) async -> [Leftover] {
        if case .elsewhere(let host) = JournalOrigin(contents.header, on: systems.host, accepting: nil) {
            return contents.open.map { intent in
                Leftover(
                    kind: intent.kind, target: intent.targetName,
                    description:
                        "run \(contents.header.run) of the machine '\(host)' left it open; it can be read there")
            }
        }
        let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
        let context = systems.context(run: contents.header.run, secrets: secrets) { _ in }
        return await Healer(registry: systems.registry, context: context).leftovers(contents.open)
    }

    private mutating func take(_ scan: SystemScan, alive: Set<String>, reported: Set<String>) {
        guard scan.failure == nil else {
            unknown.append(scan)
            return
        }
        asked += 1
        for mark in scan.marks {
            if let run = mark.run, alive.contains(run) || reported.contains("\(run) \(mark.leftover.kind)") { continue }
            var leftover = mark.leftover
            leftover.description += mark.run.map { " (run \($0))" } ?? ""
            leftovers.append(leftover)
        }
    }

    func show(runsFolder: String) {
        for path in inProgress { Output.line("in progress: \(path) (its faults are not leftovers)") }
        for leftover in leftovers {
            Output.line("\(leftover.kind)  \(leftover.target)  \(leftover.description)")
            for command in leftover.commands { Output.line("  by hand: \(command)") }
        }
        for scan in unknown { Output.error("unknown: \(scan.system): \(scan.failure ?? "")") }
        if leftovers.isEmpty {
            Output.line("no leftovers (\(asked) system(s) asked\(unknown.isEmpty ? "" : ", \(unknown.count) unknown"))")
        } else {
            Output.line("next: squall heal --all --runs \(runsFolder)")
        }
    }
}
