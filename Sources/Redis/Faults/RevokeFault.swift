internal import Basics
package import Contracts
package import Experiment

/// Takes rights from a user of a Redis, and gives them back.
package struct RevokeFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: RedisTarget
        package var installation: Installation
        package var user: String
        /// The user's rights to commands as ACL GETUSER says them, `+@all -debug`. No password is in them.
        package var before: String
        package var rules: [String]
    }

    package static let kind = "redis.acl-revoke"
    package static let manual = Manual(
        summary: "Takes rights to commands from an ACL user of a Redis: the application is there and may not write.",
        details: """
            Reads the user's rights to commands with ACL GETUSER, journals them, and adds `rules` (by default -@write) with \
            ACL SETUSER, on the target only: users are not replicated. The effect is that ACL GETUSER shows other rights than \
            before. Healing sets exactly the prior rights, also in the configuration file when a Sentinel has rewritten it \
            meanwhile. Squall's own user is refused. Passwords and keys are not touched and never read into the journal.
            """,
        example: """
            - {name: revoke, fault: redis.acl-revoke, target: primary, user: app, duration: 10s}
            """)
    private static let userParameter = Parameter<String>.required("user", .text, "The ACL user.")
    private static let rulesParameter = Parameter<[String]>.defaulted(
        "rules", .list(.text), to: ["-@write"], written: "[-@write]", "Rights to take, each as -command or -@category.")
    package static let parameters: [any AnyParameter] = [userParameter, rulesParameter]
    package static let requires: Set<Target.Attribute> = [.redisURL]

    private let user: String
    private let rules: [String]

    package init(from reader: inout ParameterReader) {
        user = reader.value(Self.userParameter)
        rules = reader.value(Self.rulesParameter)
        for rule in rules where !rule.hasPrefix("-") {
            reader.diagnostics.error(
                "a rule takes a right and begins with -, found '\(rule)'",
                at: reader.location(of: Self.rulesParameter.key))
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "ACL SETUSER \(user) \(rules.joined(separator: " ")) on \(target.name)",
            undo: "ACL SETUSER to the prior rights",
            privileges: ["+acl|whoami +acl|getuser +acl|setuser +config|rewrite +info"])
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let target = try RedisTarget(target)
        let own = try await target.call(["ACL", "WHOAMI"], in: context, "asking who we are").text
        guard own != user else {
            throw FaultError(
                .notApplicable,
                "squall itself is \(user) on \(target.node): without rights it could not give them back",
                advice: "give squall a user of its own in the node's address, redis://squall:${password}@…")
        }
        let before = try await Self.rights(of: user, target, context)
        let tokens = Set(before.split(separator: " ").map(String.init))
        guard !tokens.isSuperset(of: rules) else {
            throw FaultError(
                .notApplicable, "user \(user) of \(target.node) has no such rights: '\(before)'",
                advice: target.command(["ACL", "GETUSER", user]))
        }
        return Undo(
            target: target, installation: try await target.installation(in: context), user: user, before: before,
            rules: rules)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let begun = context.time.now
        try await undo.target.call(["ACL", "SETUSER", undo.user] + undo.rules, in: context, "taking rights")
        let ended = context.time.now
        let now = try await Self.rights(of: undo.user, undo.target, context)
        guard now != undo.before else {
            return .unproven("user \(undo.user) of \(undo.target.node) had no such rights before")
        }
        return .confirmed(
            InstantRange(begun, ended), evidence: "ACL GETUSER \(undo.user) of \(undo.target.node) says \(now)")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let (standing, now) = try await found(undo, context)
        if now != nil { try await undo.target.call(restoring(undo), in: context, "giving rights back") }
        switch standing {
        case .rewritten: try await undo.target.rewriteFile(in: context)
        case .restarted: if now != nil { try await undo.target.rewriteFile(in: context) }
        case .asChanged, .other: break
        }
    }

    /// The rights as they are, when they are not as before and that is our doing.
    private static func found(
        _ undo: Undo, _ context: SystemContext
    ) async throws(FaultError) -> (standing: Installation.Standing, now: String?) {
        let standing = undo.installation.standing(of: try await undo.target.installation(in: context))
        if case .other = standing { return (standing, nil) }
        let now = try await rights(of: undo.user, undo.target, context)
        guard now != undo.before else { return (standing, nil) }
        if case .restarted = standing {
            let tokens = Set(now.split(separator: " ").map(String.init))
            return (standing, tokens.isSuperset(of: undo.rules) ? now : nil)
        }
        return (standing, now)
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard let now = try await found(undo, context).now else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node,
            description: "user \(undo.user) has the rights '\(now)' and had '\(undo.before)'",
            commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] { [undo.target.command(restoring(undo))] }

    private static func restoring(_ undo: Undo) -> [String] {
        ["ACL", "SETUSER", undo.user, "-@all"] + undo.before.split(separator: " ").map(String.init)
    }

    private static func rights(
        of user: String, _ target: RedisTarget, _ context: SystemContext
    ) async throws(FaultError) -> String {
        let answer = try await target.call(["ACL", "GETUSER", user], in: context, "reading the rights of \(user)")
        guard let commands = namedValues(answer)["commands"]?.text else {
            throw FaultError(
                .notFound, "\(target.node) has no user \(user)", advice: target.command(["ACL", "USERS"]))
        }
        return commands
    }
}
