internal import Basics
internal import Contracts
internal import Glibc
internal import Journal
internal import Process

/// Heals the journals of dead runs one after the other; what one of them refuses keeps none of the others from it.
struct JournalHealing {
    private let systems: Systems
    private let acceptedHost: String?
    private(set) var report = HealReport()

    init(systems: Systems, acceptedHost: String?) {
        self.systems = systems
        self.acceptedHost = acceptedHost
    }

    mutating func heal(_ journals: DirtyJournals) async {
        report.inProgress = journals.live
        report.beingHealed = journals.beingHealed
        report.lost = journals.lost.map { HealReport.Lost(run: $0.run, journal: $0.journal) }
        for contents in journals.dirty + journals.unconcluded { await heal(contents) }
        for (path, error) in journals.unreadable {
            report.refused.append(RefusedJournal(path, error, systems.registry))
        }
    }

    private mutating func heal(_ contents: JournalContents) async {
        switch JournalOrigin(contents.header, on: systems.host, accepting: acceptedHost) {
        case .elsewhere(let host):
            report.refused.append(RefusedJournal(contents, host: host, here: systems.host.name, systems.registry))
            return
        case .earlierBoot where !contents.isClean:
            Output.error(
                "run \(contents.header.run) ended with a restart of this machine: what the kernel held of it is gone; "
                    + "what containers, databases and clouds hold is healed now")
        case .earlierBoot, .thisBoot: break
        }
        do {
            report.healed += try await JournalHeal(systems: systems, contents: contents).run()
        } catch {
            report.failed.append(HealReport.Failure(path: contents.path, reason: "\(error)"))
        }
    }

    /// Puts journals that were not healed aside under another name, and takes the run out of the machine's index.
    mutating func abandon(_ journals: DirtyJournals, run: String) throws {
        let stillOpen = report.healed.filter { !$0.isHealed }.map(\.run) + report.refused.compactMap(\.run)
        let dirty = journals.dirty.filter { stillOpen.contains($0.header.run) }.map(\.path)
        for path in dirty + journals.unreadable.map(\.path) {
            do throws(SystemError) {
                let aside = "\(path).abandoned"
                try retryingInterrupts("rename", subject: path) { rename(path, aside) }
            } catch {
                throw failure(5, "\(path) cannot be put aside: \(error)", next: "mv \(path) \(path).abandoned")
            }
            report.abandoned.append(path)
        }
        report.abandoned += journals.lost.map(\.journal)
        if !report.abandoned.isEmpty { try StateFolder.journals.remove(run: run) }
    }
}
