internal import Basics
package import Contracts

/// The keys that a probe makes, as the journal keeps them. Holds addresses as written, no secret.
package struct OwnedKeys: Sendable, Hashable, Codable {
    package var keys: RunKeys
    package var primary: PrimaryLocation
    /// Nodes that may have become primaries of their own meanwhile.
    package var nodes: [RedisURL]

    package init(keys: RunKeys, primary: PrimaryLocation, nodes: [RedisURL]) {
        self.keys = keys
        self.primary = primary
        self.nodes = nodes
    }

    static let plan = PlannedOperation(
        operation: "writes keys of the run's own, squall:<run>:<probe>:…", undo: "UNLINK at the end",
        privileges: [
            "+rpush +lrange +set +get +unlink +exists +role +wait on the keys squall:*", "+sentinel on Sentinels",
            "+readonly +asking +cluster|slots +cluster|info in a cluster",
        ])

    /// Journals the keys before the first of them is made.
    func journal(in context: ProbeContext) async throws(FaultError) -> MutationID {
        let undo: JSONValue
        do {
            undo = try JSONValue(encoding: self)
        } catch {
            throw FaultError(.unexpected, "the undo cannot be written as JSON: \(error)")
        }
        return try await context.journal(ProbeKeys.kind, primary.summary, undo)
    }

    /// Removes the keys, sees that they are gone, and says so in the journal.
    func close(_ mutation: MutationID, of probe: Label, in context: ProbeContext) async throws(FaultError) {
        try await remove(in: context.system)
        if let leftover = try await leftover(kind: ProbeKeys.kind, in: context.system) {
            throw FaultError(
                .unexpected, "probe \(probe): \(leftover.description) is still there after its removal", advice: manual)
        }
        try await context.closeJournal(mutation)
    }

    private static let patience = Span.seconds(30)
    private static let attempt = Span.seconds(5)

    /// Removes the keys from the primary, retrying while a failover goes on, and from every other reachable node that calls
    /// itself a primary (after a fork both sides hold them). Replicas follow theirs.
    package func remove(in context: SystemContext) async throws(FaultError) {
        let deadline = context.time.now + Self.patience
        while true {
            do throws(FaultError) {
                _ = try await onPrimaries("UNLINK", context)
                return
            } catch {
                if error.code == .denied || error.code == .cancelled { throw error }
                guard context.time.now + .milliseconds(500) < deadline else { throw error }
            }
            do throws(CancellationError) {
                try await context.time.sleep(for: .milliseconds(500))
            } catch {
                throw FaultError(.cancelled, "removing \(keys.prefix)… was cancelled", advice: manual)
            }
        }
    }

    /// Where keys still are; nil when the primary and every reachable other one are clean.
    package func leftover(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let counts = try await onPrimaries("EXISTS", context)
        let places = counts.filter { $0.count > 0 }.map { "\($0.count) on \($0.place)" }
        guard !places.isEmpty else { return nil }
        return Leftover(
            kind: kind, target: primary.summary, description: "keys \(keys.prefix)*: \(places.joined(separator: ", "))",
            commands: [manual])
    }

    /// What a person would type, at whoever is the primary.
    package var manual: String {
        let url = primary.url?.text ?? primary.cluster.first?.text ?? nodes.first?.text ?? "redis://PRIMARY"
        return "redis-cli -u '\(url)' --scan --pattern '\(keys.prefix)*' | xargs redis-cli -u '\(url)' UNLINK"
    }

    /// What one node answered.
    private struct Tally {
        var place: String
        /// Keys that it did not leave to others.
        var answered = 0
        var count: Int64 = 0
    }

    /// Runs a command that answers with a number, for every key, on the primaries that clients reach, all of which must be
    /// there, and on other nodes that call themselves primaries.
    private func onPrimaries(_ verb: String, _ context: SystemContext) async throws(FaultError) -> [Tally] {
        let client = try context.services.require(RedisClient.self)
        let reached = try await reached(client, context)
        var tallies: [Tally] = []
        for url in reached { tallies.append(try await tally(verb, at: url, client, context)) }
        let answered = tallies.reduce(0) { $0 + $1.answered }
        guard answered >= keys.count else {
            throw FaultError(
                .unreachable, "for \(keys.count - answered) of \(keys.count) keys \(keys.prefix)… nobody answers",
                advice: manual)
        }
        for node in nodes where !reached.contains(node) {
            do throws(FaultError) {
                tallies.append(try await tally(verb, at: node, client, context))
            } catch  where error.code == .unreachable || error.code == .timeout {
                continue
            }
        }
        return tallies
    }

    /// Whom clients write to: the primary, or every owner of slots in a cluster.
    private func reached(_ client: RedisClient, _ context: SystemContext) async throws(FaultError) -> [RedisURL] {
        let finder = PrimaryFinder(primary, client, context.secrets)
        guard !primary.cluster.isEmpty else { return [try await finder.url(in: context)] }
        do throws(RedisError) {
            let reader = ClusterReader(primary, client, context.secrets)
            return try await reader.map(until: context.time.now + Self.attempt).allOwners.map { primary.reach($0) }
        } catch {
            var failure = error
            failure.message = context.secrets.redact(error.message)
            throw failure.faultError("the owners of the keys \(keys.prefix)… are not known", advice: primary.advice)
        }
    }

    private func tally(
        _ verb: String, at url: RedisURL, _ client: RedisClient, _ context: SystemContext
    ) async throws(FaultError) -> Tally {
        let deadline = context.time.now + Self.attempt
        let action = "looking after the keys \(keys.prefix)… failed"
        return try await client.session(url, in: context, until: deadline, action, advice: manual) {
            connection throws(RedisError) in
            var tally = Tally(place: url.text)
            // What a replica holds is its primary's business.
            guard try await connection.call(["ROLE"], until: deadline).array?.first?.text == "master" else {
                return tally
            }
            // One by one: in a cluster they belong to different nodes.
            let commands = keys.names.map { [verb, $0] }
            for answer in try await connection.call(pipeline: commands, until: deadline).values {
                if case .error(let text) = answer {
                    if Redirection(text, asked: "") != nil { continue }
                    throw RedisError(answer: text, phase: .command, subject: connection.subject)
                }
                tally.answered += 1
                tally.count += answer.integer ?? 0
            }
            return tally
        }
    }
}
