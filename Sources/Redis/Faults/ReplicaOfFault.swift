internal import Basics
package import Contracts
package import Experiment

/// Makes a node a primary of its own, or a replica of another one, past every Sentinel.
package struct ReplicaOfFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var process: String
        /// Whose replica it was, `host:port` as the node knows it; nil: it was a primary.
        package var before: Primary?
        /// Whose replica it becomes; nil: a primary.
        package var after: Primary?
    }

    package struct Primary: Codable, Sendable, Hashable {
        package var host: String
        package var port: Int64
    }

    package static let kind = "redis.replica-of"
    package static let manual = Manual(
        summary: "Tells a Redis whose replica it is: by default nobody's, so that two primaries take writes.",
        details: """
            Sends REPLICAOF to the target. With `of: none` (the default) a replica forks: it takes writes from then on while \
            its old primary goes on, too. With `of: host:port` (as the node itself can reach it) it follows another node, \
            and loses what that one does not have. The effect is shown by the node's own ROLE.

            Healing tells the node whose replica it was before, and what it took in between is lost then: a redis.ledger \
            reads it before. A node that has been given another role meanwhile, by a Sentinel or a person, is left alone; so is a \
            fork that others follow by now, and one that was restarted. Sentinels bring a fork back by themselves after some ten seconds.
            """,
        example: """
            - {name: fork, fault: redis.replica-of, target: replica, duration: 8s}
            """)
    private static let ofParameter = Parameter<String>.defaulted(
        "of", .text, to: "none", written: "none", "The new primary's host:port as the node reaches it, or none.")
    package static let parameters: [any AnyParameter] = [ofParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private let primary: Primary?

    package init(from reader: inout ParameterReader) {
        let text = reader.value(Self.ofParameter)
        primary = Self.read(text)
        if primary == nil, text != "none" {
            reader.diagnostics.error(
                "expected none or host:port, found '\(text)'", at: reader.location(of: Self.ofParameter.key))
        }
    }

    private static func read(_ text: String) -> Primary? {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        return Primary(host: String(text[..<colon]), port: Int64(port))
    }

    private static func command(_ primary: Primary?) -> [String] {
        primary.map { ["REPLICAOF", $0.host, "\($0.port)"] } ?? ["REPLICAOF", "NO", "ONE"]
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "tell \(target.name): \(Self.command(primary).joined(separator: " "))",
            undo: "REPLICAOF whose replica it was", privileges: ["+replicaof +role +info"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let before = try await Self.role(target, context)
        guard before != primary else {
            throw FaultError(
                .notApplicable, "\(target.node) is that already: \(Self.text(before))", advice: target.command(["ROLE"])
            )
        }
        return Undo(target: target, process: try await target.process(in: context), before: before, after: primary)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let begun = context.time.now
        try await undo.target.call(Self.command(undo.after), in: context, "changing the role")
        let watch = EffectWatch(context, within: RedisTarget.patience)
        let range = try await watch.firstTime(since: begun) { () async throws(FaultError) -> Bool in
            try await Self.role(undo.target, context) == undo.after
        }
        guard let range else { return .unproven("\(undo.target.node) was told its new role, but does not have it") }
        return .confirmed(range, evidence: "\(undo.target.node) says in ROLE: \(Self.text(undo.after))")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        guard try await isOurs(undo, context) else { return }
        try await undo.target.call(command(undo.before), in: context, "giving the role back")
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await isOurs(undo, context) else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node, description: "it is \(text(undo.after))",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] { [undo.target.command(command(undo.before))] }

    /// A role that Sentinels or people have built upon is not ours any more: a fork that others follow is the primary now,
    /// and so is the node that the target was told to follow.
    private static func isOurs(_ undo: Undo, _ context: SystemContext) async throws(FaultError) -> Bool {
        guard try await undo.target.isStill(undo.process, in: context),
            try await role(undo.target, context) == undo.after
        else { return false }
        guard let after = undo.after else {
            let info =
                try await undo.target.call(["INFO", "replication"], in: context, "looking for followers").text ?? ""
            return infoField("connected_slaves", in: info) == "0"
        }
        guard undo.before == nil, let url = undo.target.url.moved(to: "\(after.host):\(after.port)") else {
            return true
        }
        do throws(FaultError) {
            let other = RedisTarget(node: "\(after.host):\(after.port)", url: url)
            let role = try await other.call(["ROLE"], in: context, "asking the new primary", patience: .seconds(1))
            return role.array?.first?.text != "master"
        } catch {
            // It cannot be asked from here: what the target itself says decides.
            return true
        }
    }

    /// nil for a primary.
    private static func role(_ target: RedisTarget, _ context: SystemContext) async throws(FaultError) -> Primary? {
        let answer = try await target.call(["ROLE"], in: context, "reading the role").array ?? []
        switch answer.first?.text {
        case "master": return nil
        case "slave":
            guard answer.count > 2, let host = answer[1].text, let port = answer[2].integer else { break }
            return Primary(host: host, port: port)
        default: break
        }
        throw FaultError(
            .notApplicable, "\(target.node) is neither a primary nor a replica", advice: target.command(["ROLE"]))
    }

    private static func text(_ primary: Primary?) -> String {
        primary.map { "a replica of \($0.host):\($0.port)" } ?? "a primary"
    }
}
