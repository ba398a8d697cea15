internal import Basics
package import Contracts
package import Experiment

/// Fills a Redis up to its memory limit with keys of ours: others are evicted, or writes are refused.
package struct EvictionPressureFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        /// Begins the name of every key of ours.
        package var prefix: String
        /// Bytes that may be written at most.
        package var limit: Int64
        /// Where the keys may be after a failover.
        package var nodes: [RedisURL]
    }

    package static let kind = "redis.eviction-pressure"
    package static let manual = Manual(
        summary: "Fills a Redis to its maxmemory with keys of the run's own.",
        details: """
            Sets keys squall:<run>:fill:…, 16 KiB each, on the target, a primary with a memory limit, until the server evicts \
            (evicted_keys rises) or refuses a write (OOM), whatever its maxmemory-policy says. That is the effect. Keys of \
            users may be evicted: this loses data of a server whose policy allows it. No more than a \
            fifth above maxmemory, and a MiB, is written.

            Healing looks for keys with that name and unlinks them, on the target and, after a failover, on each of `nodes` \
            that calls itself a primary. What was evicted does not come back.
            """,
        example: """
            - {name: full, fault: redis.eviction-pressure, target: primary, duration: 20s}
            """)
    private static let nodesParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "nodes", .map(.redis), to: [], written: "none", "Nodes that may be primary when the fault is healed.")
    package static let parameters: [any AnyParameter] = [nodesParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private static let value = String(repeating: "x", count: 16_384)
    private static let batch = 64
    /// Filling takes a moment per gigabyte.
    private static let patience = Span.seconds(60)

    private let nodes: [RedisURL]

    package init(from reader: inout ParameterReader) {
        nodes = reader.value(Self.nodesParameter).map(\.value)
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "fill \(target.name) to its maxmemory with keys squall:<run>:fill:…",
            undo: "UNLINK of those keys; what was evicted does not come back",
            privileges: ["+set +scan +unlink +info +role +config|get on the keys squall:*"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let (role, setting, memory) = try await target.session(in: context, "reading the memory limit") {
            connection, deadline throws(RedisError) in
            (
                try await connection.call(["ROLE"], until: deadline).array?.first?.text,
                try await connection.call(["CONFIG", "GET", "maxmemory"], until: deadline),
                try await connection.call(["INFO", "memory"], until: deadline).text ?? ""
            )
        }
        guard role == "master" else {
            throw FaultError(
                .notApplicable, "\(target.node) is no primary: it takes no keys", advice: target.command(["ROLE"]))
        }
        guard let limit = namedValues(setting)["maxmemory"]?.integer, limit > 0 else {
            throw FaultError(
                .notApplicable, "\(target.node) has no memory limit that could be reached",
                advice: target.command(["CONFIG", "SET", "maxmemory", "256mb"]))
        }
        // One that evicts or refuses anyway would prove nothing.
        guard Self.isBelow(limit, memory) else {
            throw FaultError(
                .notApplicable, "\(target.node) is at its memory limit already",
                advice: target.command(["INFO", "memory"]))
        }
        let undo = Undo(
            target: target, prefix: "\(RunKeys.mark)\(context.run):fill:", limit: limit + limit / 5, nodes: nodes)
        guard try await Self.count(undo, at: target.url, context) == 0 else {
            throw FaultError(
                .inUse, "\(target.node) is filled by this run already", advice: Self.manualHeal(undo).first ?? "")
        }
        return undo
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let node = undo.target.node
        return try await undo.target.session(in: context, "filling", patience: Self.patience) {
            connection, deadline throws(RedisError) in
            let before = try await Self.evicted(connection, deadline)
            var last = context.time.now
            var number: Int64 = 0
            while number * Int64(Self.value.utf8.count) < undo.limit {
                let sent = context.time.now
                let batch = (0..<Int64(Self.batch)).map { ["SET", "\(undo.prefix)\(number + $0)", Self.value] }
                let answers = try await connection.call(pipeline: batch, until: deadline)
                number += Int64(Self.batch)
                for case .error(let text) in answers.values {
                    guard text.hasPrefix("OOM") else { return .unproven("\(node) refused a key: \(text)") }
                    return .confirmed(
                        InstantRange(last, answers.endedAt), evidence: "\(node) refuses writes with OOM")
                }
                let evicted = try await Self.evicted(connection, deadline) - before
                if evicted > 0 {
                    return .confirmed(
                        InstantRange(last, context.time.now), evidence: "\(node) has evicted \(evicted) keys")
                }
                last = sent
            }
            return .unproven("\(node) took \(number) keys and neither evicts nor refuses")
        }
    }

    private static func evicted(_ connection: RedisConnection, _ deadline: Instant) async throws(RedisError) -> Int64 {
        let info = try await connection.call(["INFO", "stats"], until: deadline).text ?? ""
        return infoField("evicted_keys", in: info).flatMap { Int64($0) } ?? 0
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        for url in try await primaries(undo, context) {
            try await remove(undo, at: url, context)
            try await awaitFreed(RedisTarget(node: undo.target.node, url: url), context)
        }
    }

    /// Whether there is room: within a fiftieth of the limit a server evicts or refuses anyway.
    private static func isBelow(_ limit: Int64, _ info: String) -> Bool {
        infoField("used_memory", in: info).flatMap { Int64($0) } ?? 0 < limit - limit / 50
    }

    /// UNLINK gives memory back a moment later, and what a dead sender's connection still held goes when the server
    /// notices its end; until then writes are still refused. Somebody else's keys at the limit are not waited for longer.
    private static func awaitFreed(_ node: RedisTarget, _ context: SystemContext) async throws(FaultError) {
        let watch = EffectWatch(context, every: .milliseconds(20), within: RedisTarget.patience)
        _ = try await watch.firstTime(since: context.time.now) { () async throws(FaultError) -> Bool in
            let info = try await node.call(["INFO", "memory"], in: context, "reading the memory").text ?? ""
            let limit = infoField("maxmemory", in: info).flatMap { Int64($0) } ?? 0
            return infoField("lazyfree_pending_objects", in: info) == "0" && (limit == 0 || isBelow(limit, info))
        }
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        var count = 0
        for url in try await primaries(undo, context) { count += try await self.count(undo, at: url, context) }
        guard count > 0 else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node, description: "\(count) keys \(undo.prefix)*",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        let scan = undo.target.command(["--scan", "--pattern", "\(undo.prefix)*"])
        return ["\(scan) | xargs \(undo.target.command(["UNLINK"]))"]
    }

    /// The target and every other node that calls itself a primary; at least one must, or nothing can be said.
    private static func primaries(_ undo: Undo, _ context: SystemContext) async throws(FaultError) -> [RedisURL] {
        var found: [RedisURL] = []
        for url in [undo.target.url] + undo.nodes.filter({ $0 != undo.target.url }) {
            let node = RedisTarget(node: undo.target.node, url: url)
            do throws(FaultError) {
                let role = try await node.call(["ROLE"], in: context, "asking for the role")
                if role.array?.first?.text == "master" { found.append(url) }
            } catch {
                // The target itself holds our keys until it says something else.
                if url == undo.target.url { throw error }
            }
        }
        guard found.isEmpty else { return found }
        throw FaultError(
            .unreachable, "\(undo.target.node) is a replica now: its keys are removed at its primary",
            advice: "name the fault's nodes, or at the primary: \(manualHeal(undo).first ?? "")")
    }

    private static func remove(_ undo: Undo, at url: RedisURL, _ context: SystemContext) async throws(FaultError) {
        let node = RedisTarget(node: undo.target.node, url: url)
        try await node.session(in: context, "removing keys of ours", patience: patience) {
            connection, deadline throws(RedisError) in
            try await scanKeys(undo.prefix, connection, until: deadline) { names throws(RedisError) in
                _ = try await connection.call(["UNLINK"] + names, until: deadline)
            }
        }
    }

    private static func count(_ undo: Undo, at url: RedisURL, _ context: SystemContext) async throws(FaultError) -> Int
    {
        let node = RedisTarget(node: undo.target.node, url: url)
        return try await node.session(in: context, "looking for keys of ours", patience: patience) {
            connection, deadline throws(RedisError) in
            var count = 0
            try await scanKeys(undo.prefix, connection, until: deadline) { names throws(RedisError) in
                count += names.count
            }
            return count
        }
    }
}
