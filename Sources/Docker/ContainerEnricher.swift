package import Contracts

/// Finds the container behind a node that another module named: a database's `pg-1` runs in the container `pg-1`.
///
/// The first of these that matches any running container decides: the container's name, its compose service, its label
/// `squall.node`. Two containers that match alike are an error, because a fault must not guess.
package struct ContainerEnricher: TargetEnricher {
    package static let nodeLabel = "squall.node"

    package let provides: Set<Target.Attribute> = [.containerID, .containerName]

    package init() {}

    package func enrich(_ target: Target, in context: SystemContext) async throws(FaultError) -> Target {
        guard target.attributes[.containerID] == nil, let node = target.attributes[.node] else { return target }
        let engine = try context.services.require((any ContainerEngine).self)
        let running = try await engine.containers(.running, labels: [:])
        let rules: [(ContainerSummary) -> Bool] = [
            { $0.name == node }, { $0.labels[ContainerSelector.composeLabel] == node },
            { $0.labels[Self.nodeLabel] == node },
        ]
        let matches = rules.lazy.map { running.filter($0) }.first { !$0.isEmpty } ?? []
        guard matches.count <= 1 else {
            let names = matches.map(\.name).joined(separator: ", ")
            throw FaultError(
                .notApplicable, "\(matches.count) containers could be node '\(node)': \(names)",
                advice: "give exactly one of them the label \(Self.nodeLabel)=\(node) or the name \(node)")
        }
        guard let container = matches.first else { return target }
        var enriched = target
        enriched.attributes[.containerID] = container.id
        enriched.attributes[.containerName] = container.name
        enriched.labels.merge(container.labels) { own, _ in own }
        return enriched
    }
}
