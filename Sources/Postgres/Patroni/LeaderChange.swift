internal import Basics
internal import Contracts
internal import Experiment

/// What a change of leader needs to know in the journal: who led, where to ask, and whether to change back.
package struct LeaderChange: Codable, Sendable, Hashable {
    /// The leader before; empty when there was none.
    package var leader: String
    package var candidate: String?
    /// Base URLs of the members' Patroni APIs.
    package var members: [String]
    /// The database cluster's identifier; another cluster at the same addresses is left alone. nil: Patroni did not say.
    package var system: String?
    package var switchBack: Bool
    /// Node → its own connection string as written; for the look at what each says of itself.
    package var nodes: [String: DSN]

    package init(
        leader: String, candidate: String?, members: [String], system: String?, switchBack: Bool,
        nodes: [String: DSN]
    ) {
        self.leader = leader
        self.candidate = candidate
        self.members = members
        self.system = system
        self.switchBack = switchBack
        self.nodes = nodes
    }

    /// Patroni carries a change out in its next round (loop_wait, 10 s) although nobody waits for the answer.
    var lateEffect: Span { switchBack ? .seconds(15) : .zero }

    /// The request of Patroni's switchover and failover.
    var request: JSONValue {
        var body: [String: JSONValue] = [:]
        if !leader.isEmpty { body["leader"] = .string(leader) }
        if let candidate { body["candidate"] = .string(candidate) }
        return .object(body)
    }

    /// Makes the change and watches every node by its own SQL meanwhile.
    ///
    /// The effect begins when the old leader stops being primary (that is when clients lose it); it is proven when
    /// another node says that it is primary, on a newer timeline than any before.
    func perform(_ path: String, within patience: Span, in context: SystemContext) async throws(FaultError) -> Effect {
        let watch = try await LeaderWatch(self, in: context)
        let begun = context.time.now
        let api = try PatroniAPI(members, in: context)
        let body = request
        let result: (Result<String, FaultError>, LeaderWatch.Sighting?) = await withTaskGroup(
            of: LeaderWatch.Sighting?.self
        ) { group in
            group.addTask { await watch.run(since: begun, until: begun + patience) }
            let answer: Result<String, FaultError>
            do throws(FaultError) {
                answer = .success(try await api.post(path, body, patience: patience))
            } catch {
                answer = .failure(error)
                // A lost answer decides nothing: the nodes themselves are still watched. A refusal does.
                if error.code != .timeout && error.code != .unreachable { group.cancelAll() }
            }
            return (answer, await group.next() ?? nil)
        }
        await watch.close()
        guard let sighting = result.1 else {
            if case .failure(let error) = result.0 { throw error }
            return .unproven("Patroni reported a change of leader, but no other node says that it is primary")
        }
        return .confirmed(
            sighting.oldLeaderGone ?? sighting.newPrimary,
            evidence: "\(sighting.node) says it is primary on timeline \(sighting.timeline)"
                + (sighting.oldLeaderGone == nil ? "" : ", \(leader) no longer does"))
    }

    /// Makes the old leader lead again, when that was asked for and it is still a member.
    func changeBack(in context: SystemContext) async throws(FaultError) {
        guard switchBack, !leader.isEmpty else { return }
        let api = try PatroniAPI(members, in: context)
        guard try await isSame(api) else { return }
        let deadline = context.time.now + .seconds(60)
        while true {
            let cluster = try await api.cluster()
            guard let original = cluster.first(where: { $0.name == leader }) else { return }
            if original.isLeader { return }
            var refusal: FaultError?
            if let current = cluster.first(where: \.isLeader), original.isRunning {
                let body = JSONValue.object(["leader": .string(current.name), "candidate": .string(leader)])
                do throws(FaultError) {
                    _ = try await api.post("/switchover", body, patience: .seconds(60))
                    continue
                } catch {
                    // It may still be catching up; Patroni refuses a candidate that lags.
                    refusal = error
                }
            }
            guard context.time.now < deadline else {
                throw refusal
                    ?? FaultError(
                        .timeout, "\(leader) cannot lead again: it is \(original.state), not running",
                        advice: manual.joined(separator: "; "))
            }
            do throws(CancellationError) {
                try await context.time.sleep(for: .seconds(1))
            } catch {
                throw FaultError(.cancelled, "the switch back to \(leader) was cancelled")
            }
        }
    }

    /// The other leader, when the old one should lead again and does not.
    func leftover(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard switchBack, !leader.isEmpty else { return nil }
        let api = try PatroniAPI(members, in: context)
        guard try await isSame(api) else { return nil }
        let cluster = try await api.cluster()
        guard let original = cluster.first(where: { $0.name == leader }), !original.isLeader else { return nil }
        let current = cluster.first(where: \.isLeader)?.name ?? "nobody"
        return Leftover(
            kind: kind, target: leader, description: "\(current) leads instead of \(leader)", commands: manual)
    }

    /// The cluster that was changed, not a namesake at its addresses.
    private func isSame(_ api: PatroniAPI) async throws(FaultError) -> Bool {
        guard let system, let now = try await api.system() else { return true }
        return now == system
    }

    /// What a person would type to change back.
    var manual: [String] {
        let base = members.first ?? "http://PATRONI:8008"
        guard !leader.isEmpty else { return ["curl -s \(base)/cluster"] }
        return [
            "curl -s \(base)/cluster",
            "curl -s -X POST \(base)/switchover -d '{\"leader\": \"CURRENT\", \"candidate\": \"\(leader)\"}'",
        ]
    }
}
