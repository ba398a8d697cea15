internal import Basics
internal import Contracts
internal import Docker
internal import Experiment
internal import Synchronization

/// Groups of containers between which a probe measures, by the names of a file.
struct ContainerGroups: Sendable, Hashable {
    /// Who belongs to the groups now.
    struct Listing: Hashable {
        /// Names of containers per group, running or not.
        var names: [[String]]
        /// Those that run on this machine's kernel with a network of their own.
        var members: [NamespaceMember]
        /// Why others have no place in it, by their names.
        var absent: [String: String]
    }

    let groups: [NamedValue<ContainerSelector>]

    /// A map from names to the conditions of a docker target.
    static let parameter = Parameter<[NamedValue<ContainerSelector>]>.required(
        "groups", .map(.selector),
        "containers by group, each with the conditions of a docker target; one group means between its members")

    func list(for kind: String, in context: SystemContext) async throws(FaultError) -> Listing {
        let engine = try context.services.require((any ContainerEngine).self)
        var listing = Listing(names: [], members: [], absent: [:])
        for group in groups {
            let listed = try await engine.containers(.any, labels: group.value.labelFilter)
            let matching = group.value.matching(listed)
            listing.names.append(matching.map(\.name).sorted())
            for container in matching where !listing.members.contains(where: { $0.name == container.name }) {
                do throws(FaultError) {
                    listing.members.append(
                        try await NamespaceMember(name: container.name, container: container.id, for: kind, in: context)
                    )
                } catch {
                    if error.code == .cancelled { throw error }
                    listing.absent[container.name] = error.description
                }
            }
        }
        return listing
    }

    /// From each member of a group to each of every other; with one group between its members.
    static func pairs(_ names: [[String]]) -> [EchoMesh.Pair] {
        let sides = names.count == 1 ? names[0].map { [$0] } : names
        var pairs: [EchoMesh.Pair] = []
        for (index, side) in sides.enumerated() {
            for (otherIndex, other) in sides.enumerated() where otherIndex != index {
                for from in side {
                    for to in other where to != from && !pairs.contains(.init(from: from, to: to)) {
                        pairs.append(.init(from: from, to: to))
                    }
                }
            }
        }
        return pairs
    }
}

extension ValueType where Value == ContainerSelector {
    static var selector: ValueType {
        .record(ContainerSelector.parameters, placeholder: ContainerSelector()) { ContainerSelector(from: &$0) }
    }
}
