internal import Basics
package import Contracts

/// Containers that bear our mark: twins that wait for a heal, whoever's journal they belong to.
///
/// A twin that has taken its original's place keeps the label for good, because the engine changes no label of a
/// container; it is no leftover once it has its name and was started.
package struct ContainerLeftovers: LeftoverScanner {
    package init() {}

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        var system = "docker engine"
        do throws(FaultError) {
            let engine = try context.services.require((any ContainerEngine).self)
            system += " \(engine.address)"
            let containers = try await engine.containers(.any, labels: [:])
            let ids = Set(containers.map(\.id))
            let marks = containers.compactMap { mark($0, isOriginalThere: ids.contains) }
            return [SystemScan(system: system, marks: marks)]
        } catch {
            return [SystemScan(system: system, failure: "\(error)")]
        }
    }

    private func mark(_ container: ContainerSummary, isOriginalThere: (String) -> Bool) -> SystemScan.Mark? {
        guard let original = container.labels[ContainerTwin.label] else { return nil }
        let run = container.labels[ContainerTwin.runLabel]
        let name = container.labels[ContainerTwin.nameLabel] ?? container.name
        let description: String
        let commands: [String]
        if container.name.hasPrefix(ContainerRemoveFault.twinPrefix) {
            let isThere = isOriginalThere(original)
            description =
                "the twin \(container.name) of container \(name) is left" + (isThere ? "" : ", which is gone")
            commands =
                isThere
                ? ["docker rm \(container.name)"]
                : ["docker rename \(container.name) \(name)", "docker start \(name)"]
        } else if container.state == .created {
            description = "container \(name) is back and was never started"
            commands = ["docker start \(container.name)"]
        } else {
            return nil
        }
        let leftover = Leftover(
            kind: ContainerRemoveFault.kind, target: name, description: description, commands: commands)
        return SystemScan.Mark(leftover, run: run)
    }
}
