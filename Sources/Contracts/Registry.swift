/// Every kind the tool knows. Modules export lists; only the command line joins them.
package struct Registry: Sendable {
    package var faults: [any Fault.Type]
    /// Changes that are no faults of a step (a ledger's schema): the journal must be able to heal them too.
    package var mutations: [any Mutation.Type]
    package var probes: [any Probe.Type]
    package var checkers: [any Checker.Type]
    package var targetSources: [any TargetSource.Type]
    package var enrichers: [any TargetEnricher]
    package var scanners: [any LeftoverScanner]

    package init(
        faults: [any Fault.Type] = [], mutations: [any Mutation.Type] = [], probes: [any Probe.Type] = [],
        checkers: [any Checker.Type] = [], targetSources: [any TargetSource.Type] = [],
        enrichers: [any TargetEnricher] = [], scanners: [any LeftoverScanner] = []
    ) {
        self.faults = faults
        self.mutations = mutations
        self.probes = probes
        self.checkers = checkers
        self.targetSources = targetSources
        self.enrichers = enrichers
        self.scanners = scanners
    }

    /// Adds a module's kinds.
    package mutating func add(_ other: Registry) {
        faults += other.faults
        mutations += other.mutations
        probes += other.probes
        checkers += other.checkers
        targetSources += other.targetSources
        enrichers += other.enrichers
        scanners += other.scanners
    }

    package func fault(_ kind: String) -> (any Fault.Type)? { faults.first { $0.kind == kind } }
    package func probe(_ kind: String) -> (any Probe.Type)? { probes.first { $0.kind == kind } }
    package func checker(_ kind: String) -> (any Checker.Type)? { checkers.first { $0.kind == kind } }
    package func targetSource(_ kind: String) -> (any TargetSource.Type)? { targetSources.first { $0.kind == kind } }

    /// Whatever can undo a journalled change of this kind.
    package func mutation(_ kind: String) -> (any Mutation.Type)? {
        fault(kind) ?? mutations.first { $0.kind == kind }
    }
}
