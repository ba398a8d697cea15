package import Basics
package import Contracts
package import Experiment
internal import Synchronization

/// Knows which server process is which node, by asking each node directly.
///
/// A restarted server is a new process: one that is not known yet is looked for once, by asking all nodes again.
package final class NodeDirectory: Sendable {
    private struct Known {
        var labels: [String: Label] = [:]
        /// Processes that no node admitted to be, with the time of that look.
        var strangers: [String: Instant] = [:]
    }

    private static let patience = Span.seconds(1)
    private let client: PostgresClient
    private let secrets: SecretStore
    private let nodes: [NamedValue<NodeAddress>]
    private let time: any TimeSource
    private let known = Mutex(Known())

    package init(
        _ client: PostgresClient, _ secrets: SecretStore, nodes: [NamedValue<NodeAddress>], time: any TimeSource
    ) {
        self.client = client
        self.secrets = secrets
        self.nodes = nodes
        self.time = time
    }

    /// The node's name; without declared nodes the server's own address; empty when no node admits to be it.
    package func label(of identity: ServerIdentity) async -> Label {
        if let label = knownLabel(of: identity) { return label }
        await refresh()
        return known.withLock { known in
            if let label = known.labels[identity.incarnation] { return label }
            known.strangers[identity.incarnation] = time.now
            return .none
        }
    }

    /// Without asking anybody; nil when a look is worth it.
    package func knownLabel(of identity: ServerIdentity) -> Label? {
        if nodes.isEmpty { return Label(identity.address) }
        return known.withLock { known in
            if let label = known.labels[identity.incarnation] { return label }
            guard let looked = known.strangers[identity.incarnation] else { return nil }
            return time.now - looked < Self.patience ? Label.none : nil
        }
    }

    /// Asks every node who it is; one that does not answer within a second keeps what is known of it.
    package func refresh() async {
        let deadline = time.now + Self.patience
        await withDiscardingTaskGroup { group in
            for node in nodes {
                group.addTask { await self.learn(node, until: deadline) }
            }
        }
    }

    private func learn(_ node: NamedValue<NodeAddress>, until deadline: Instant) async {
        let session = KeptSession(client, node.value.dsn, secrets)
        let answer = try? await session.query("SELECT \(ServerIdentity.incarnationSQL)", until: deadline, .ignored)
        await session.close()
        guard let incarnation = answer?.result[0, 0] else { return }
        known.withLock { known in
            known.labels[incarnation] = Label(node.name)
            known.strangers[incarnation] = nil
        }
    }
}
