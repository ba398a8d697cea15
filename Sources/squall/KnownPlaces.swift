internal import Basics
internal import Contracts
internal import Experiment
internal import Journal

extension KnownSystems {
    /// The places that a folder of runs and the machine's index know of: every change of every journal, healed or not.
    init(runsFolder: String, systems: Systems) {
        self.init()
        var paths = DirtyJournals.runs(in: runsFolder).map { "\(runsFolder)/\($0)/journal" }
        // An index that cannot be read has been reported where the open journals were read.
        paths += ((try? StateFolder.journals.entries()) ?? []).map(\.journal)
        for path in paths {
            // One that cannot be read is reported with the dirty ones.
            guard let contents = try? JournalReader.read(path), !runs.contains(contents.header.run) else { continue }
            runs.append(contents.header.run)
            let secrets = contents.header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
            let store = systems.context(run: contents.header.run, secrets: secrets) { _ in }.secrets
            places += contents.intents.map { Place(kind: $0.kind, document: $0.undo, secrets: store) }
        }
    }

    /// What an experiment file names, whether or not it was ever run.
    mutating func add(_ experiment: Experiment, systems: Systems) {
        let store = systems.context(run: "leftovers", secrets: experiment.secrets) { _ in }.secrets
        let declarations = experiment.probes + experiment.method.map(\.fault)
        places += declarations.map { Place(kind: $0.kind, document: $0.parameters.json, secrets: store) }
    }
}
