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
        privileges: ["+rpush +lrange +set +get +unlink +exists +role on the keys squall:*"])

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
                _ = try await onPrimaries(["UNLINK"] + keys.names, context)
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
        let counts = try await onPrimaries(["EXISTS"] + keys.names, context)
        let places = counts.filter { $0.count > 0 }.map { "\($0.count) on \($0.place)" }
        guard !places.isEmpty else { return nil }
        return Leftover(
            kind: kind, target: primary.summary, description: "keys \(keys.prefix)*: \(places.joined(separator: ", "))",
            commands: [manual])
    }

    /// What a person would type, at whoever is the primary.
    package var manual: String {
        let url = primary.url?.text ?? nodes.first?.text ?? "redis://PRIMARY"
        return "redis-cli -u '\(url)' --scan --pattern '\(keys.prefix)*' | xargs redis-cli -u '\(url)' UNLINK"
    }

    /// Runs one command that answers with a number on the primary, which must be there, and on other primaries.
    private func onPrimaries(
        _ command: [String], _ context: SystemContext
    ) async throws(FaultError) -> [(place: String, count: Int64)] {
        let client = try context.services.require(RedisClient.self)
        let action = "looking after the keys \(keys.prefix)… failed"
        var results: [(place: String, count: Int64)] = []
        let deadline = context.time.now + Self.attempt
        do throws(RedisError) {
            let found = try await PrimaryFinder(primary, client, context.secrets).connect(until: deadline)
            let connection = found.connection
            let answer: RedisValue
            do throws(RedisError) {
                answer = try await connection.call(command, until: deadline)
            } catch {
                await connection.close()
                throw error
            }
            await connection.close()
            results.append((found.url.text, answer.integer ?? 0))
        } catch {
            var failure = error
            failure.message = context.secrets.redact(error.message)
            throw failure.faultError(action, advice: manual)
        }
        for node in nodes where !results.contains(where: { $0.place == node.text }) {
            do throws(FaultError) {
                let deadline = context.time.now + Self.attempt
                let answer = try await client.session(node, in: context, until: deadline, action, advice: manual) {
                    connection throws(RedisError) -> Int64? in
                    guard try await connection.call(["ROLE"], until: deadline).array?.first?.text == "master" else {
                        return nil
                    }
                    return try await connection.call(command, until: deadline).integer
                }
                if let answer { results.append((node.text, answer)) }
            } catch  where error.code == .unreachable || error.code == .timeout {
                continue
            }
        }
        return results
    }
}
