internal import Basics
internal import Contracts
internal import Synchronization

/// Watches the nodes of a cluster by their own SQL while the leader changes.
final class LeaderWatch: Sendable {
    /// What showed the change.
    struct Sighting: Sendable, Hashable {
        /// The new primary.
        var node: String
        var timeline: Int64
        var newPrimary: InstantRange
        /// Between the last look at which the old leader was primary and the first at which it was not.
        var oldLeaderGone: InstantRange?
    }

    private static let every = Span.milliseconds(20)
    private static let timeout = Span.seconds(1)

    private let leader: String
    private let context: SystemContext
    private let sessions: [String: KeptSession]
    /// The newest timeline before the change; a node that is primary on no newer one proves nothing.
    private let timelineBefore: Int64
    private let oldLeaderGone = Mutex<InstantRange?>(nil)

    /// Connects to every node that answers, so that a look costs one round trip.
    init(_ change: LeaderChange, in context: SystemContext) async throws(FaultError) {
        let client = try context.services.require(PostgresClient.self)
        let sessions = change.nodes.mapValues { KeptSession(client, $0, context.secrets) }
        var newest: Int64 = 0
        for session in sessions.values {
            let state = await Self.look(session, context)
            newest = max(newest, state?.timeline ?? 0)
        }
        leader = change.leader
        self.context = context
        self.sessions = sessions
        timelineBefore = newest
    }

    func close() async {
        for session in sessions.values { await session.close() }
    }

    /// The first node other than the old leader that is primary on a newer timeline; nil when none is before the
    /// deadline or the task is cancelled.
    func run(since: Instant, until deadline: Instant) async -> Sighting? {
        await withTaskGroup(of: Sighting?.self) { group in
            for (node, session) in sessions {
                group.addTask {
                    node == self.leader
                        ? await self.watchOldLeader(session, since: since, until: deadline)
                        : await self.watchCandidate(node, session, since: since, until: deadline)
                }
            }
            var sighting: Sighting?
            for await found in group where found != nil {
                sighting = found
                break
            }
            group.cancelAll()
            await group.waitForAll()
            sighting?.oldLeaderGone = oldLeaderGone.withLock { $0 }
            return sighting
        }
    }

    private func watchOldLeader(_ session: KeptSession, since: Instant, until deadline: Instant) async -> Sighting? {
        var lower = since
        while context.time.now < deadline && !Task.isCancelled {
            let begun = context.time.now
            let state = await Self.look(session, context)
            guard !Task.isCancelled else { return nil }
            if state?.isInRecovery != false {
                oldLeaderGone.withLock { $0 = InstantRange(lower, context.time.now) }
                return nil
            }
            lower = begun
            guard await pause() else { return nil }
        }
        return nil
    }

    private func watchCandidate(
        _ node: String, _ session: KeptSession, since: Instant, until deadline: Instant
    ) async -> Sighting? {
        var lower = since
        while context.time.now < deadline && !Task.isCancelled {
            let begun = context.time.now
            if let state = await Self.look(session, context), !state.isInRecovery,
                let timeline = state.timeline, timeline > timelineBefore
            {
                return Sighting(
                    node: node, timeline: timeline, newPrimary: InstantRange(lower, context.time.now),
                    oldLeaderGone: nil)
            }
            lower = begun
            guard await pause() else { return nil }
        }
        return nil
    }

    private func pause() async -> Bool {
        do throws(CancellationError) {
            try await context.time.sleep(for: Self.every)
            return true
        } catch {
            return false
        }
    }

    /// What a node says of itself; nil when it does not answer.
    private static func look(_ session: KeptSession, _ context: SystemContext) async -> NodeState? {
        do throws(PostgresError) {
            return NodeState(try await session.query(NodeState.query, until: context.time.now + timeout).result)
        } catch {
            return nil
        }
    }
}
