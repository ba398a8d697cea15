internal import Basics
internal import Contracts
internal import Synchronization

/// The members of a cluster that a probe has seen: what `from: <probe>` can lead to.
final class KnownInstances: Sendable {
    private struct State {
        var region: String?
        /// By identifier; nil: its tags were not read.
        var tags: [String: [String: String]?] = [:]
    }

    private let state = Mutex(State())

    func take(region: String) {
        state.withLock { $0.region = region }
    }

    /// Members that were listed; what is known of their tags stays.
    func see(_ ids: some Sequence<String>) {
        state.withLock { state in
            for id in ids where state.tags[id] == nil { state.tags[id] = .some(nil) }
        }
    }

    func take(tagsOf instances: [DatabaseInstance]) {
        state.withLock { state in
            for instance in instances { state.tags[instance.id] = instance.tags }
        }
    }

    /// Of those that are left there are no tags to be had.
    func settle() {
        state.withLock { state in
            for (id, tags) in state.tags where tags == nil { state.tags[id] = [:] }
        }
    }

    var ids: Set<String> { state.withLock { Set($0.tags.keys) } }

    /// Whether a member's tags are still to be read.
    var hasStrangers: Bool { state.withLock { $0.tags.values.contains { $0 == nil } } }

    /// An instance as a target; its tags are its labels, for `limits.protect`.
    func target(_ id: String) -> Target? {
        state.withLock { state in
            guard let region = state.region, let tags = state.tags[id] else { return nil }
            return ResourceType.databaseInstance.target(id, region: region, labels: tags ?? [:])
        }
    }
}
