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
            ACL SETUSER, on the target only: users are not replicated. The effect is that none of the commands that these \
            rules take (ACL CAT says which) is allowed by what ACL GETUSER shows then, however Redis writes it; a user who \
            had none of them is refused.

            Healing sets the prior rights, also in the configuration file when a Sentinel has rewritten it meanwhile. Rules \
            that others have put on top since are kept, and so are rights that others have set anew: they are not ours. A \
            Redis before 7.2 does not show that others have taken a command that was taken already: it is given back.

            Squall's own user is refused. Passwords and keys are not touched and never read into the journal.
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
            undo: "ACL SETUSER to the prior rights, with what others have changed since",
            privileges: ["+acl|whoami +acl|getuser +acl|setuser +acl|cat +config|rewrite +info +role"])
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
        guard let before = try await Self.rights(of: user, target, context) else {
            throw FaultError(
                .notFound, "\(target.node) has no user \(user)", advice: target.command(["ACL", "USERS"]))
        }
        let undo = Undo(
            target: target, installation: try await target.installation(in: context), user: user,
            before: before.description, rules: rules)
        guard try await !Self.revocation(undo, context).0.taken.isEmpty else {
            throw FaultError(
                .notApplicable, "user \(user) of \(target.node) has no such rights: '\(before)'",
                advice: target.command(["ACL", "GETUSER", user]))
        }
        return undo
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let (revocation, _) = try await Self.revocation(undo, context)
        let begun = context.time.now
        try await undo.target.call(["ACL", "SETUSER", undo.user] + undo.rules, in: context, "taking rights")
        let ended = context.time.now
        guard let now = try await Self.rights(of: undo.user, undo.target, context) else {
            return .unproven("\(undo.target.node) has no user \(undo.user) any more")
        }
        let kept = revocation.taken.intersection(revocation.catalog.allowed(by: now)).sorted()
        if let command = kept.first {
            return .unproven("user \(undo.user) of \(undo.target.node) may still \(command): '\(now)'")
        }
        return .confirmed(
            InstantRange(begun, ended),
            evidence: "ACL GETUSER \(undo.user) of \(undo.target.node) says \(now): "
                + "\(revocation.taken.count) commands fewer")
    }

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let (standing, now, remainder) = try await found(undo, context)
        switch remainder {
        case .nothing: break
        case .ours(let rest):
            try await undo.target.call(restoring(undo, rest), in: context, "giving rights back")
            if rest.description != undo.before, let now = try await rights(of: undo.user, undo.target, context) {
                note("'\(now)' now, which keeps others' changes", undo, context)
            }
        case .replaced: note("left as others have set them since, '\(now)'", undo, context)
        }
        switch (standing, remainder) {
        case (.rewritten, _), (.restarted, .ours): try await undo.target.rewriteFile(in: context)
        case (.asChanged, _), (.restarted, _), (.other, _): break
        }
    }

    private static func note(_ what: String, _ undo: Undo, _ context: SystemContext) {
        let text = "the rights of user \(undo.user) of \(undo.target.node) are \(what)"
        context.record(.note(Note(at: context.time.now, source: Label(kind), message: text)))
    }

    /// The rights as they are, and what of them is our doing. A user whom others have deleted has none.
    private static func found(
        _ undo: Undo, _ context: SystemContext
    ) async throws(FaultError) -> (Installation.Standing, now: CommandRules, Revocation.Remainder) {
        let standing = undo.installation.standing(of: try await undo.target.installation(in: context))
        if case .other = standing { return (standing, CommandRules([]), .nothing) }
        guard let now = try await rights(of: undo.user, undo.target, context) else {
            return (standing, CommandRules([]), .nothing)
        }
        let (revocation, keepsRules) = try await revocation(undo, context)
        return (standing, now, revocation.remainder(in: now, keepsRules: keepsRules))
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let (_, now, remainder) = try await found(undo, context)
        guard case .ours(let rest) = remainder else { return nil }
        return Leftover(
            kind: kind, target: undo.target.node,
            description: "user \(undo.user) has the rights '\(now)' and had '\(undo.before)'",
            commands: [undo.target.command(restoring(undo, rest))])
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        [undo.target.command(restoring(undo, CommandRules(undo.before)))]
    }

    private static func restoring(_ undo: Undo, _ rules: CommandRules) -> [String] {
        ["ACL", "SETUSER", undo.user, "-@all"] + rules.words
    }

    /// nil: there is no such user.
    private static func rights(
        of user: String, _ target: RedisTarget, _ context: SystemContext
    ) async throws(FaultError) -> CommandRules? {
        let answer = try await target.call(["ACL", "GETUSER", user], in: context, "reading the rights of \(user)")
        return namedValues(answer)["commands"]?.text.map { CommandRules($0) }
    }

    /// What the rules take of the rights, by the categories as the server has them; and whether it keeps rules as given.
    private static func revocation(
        _ undo: Undo, _ context: SystemContext
    ) async throws(FaultError) -> (Revocation, keepsRules: Bool) {
        let (categories, info) = try await undo.target.session(in: context, "reading the categories of commands") {
            connection, deadline throws(RedisError) in
            let names = (try await connection.call(["ACL", "CAT"], until: deadline).array ?? []).compactMap(\.text)
            let answers = try await connection.call(pipeline: names.map { ["ACL", "CAT", $0] }, until: deadline).values
            var categories: [String: Set<String>] = [:]
            for (name, answer) in zip(names, answers) {
                if case .error(let text) = answer {
                    throw RedisError(answer: text, phase: .command, subject: connection.subject)
                }
                categories[name] = Set((answer.array ?? []).compactMap(\.text))
            }
            return (categories, try await connection.call(["INFO", "server"], until: deadline).text ?? "")
        }
        let (before, rules) = (CommandRules(undo.before), CommandRules(undo.rules))
        let catalog = CommandCatalog(categories, named: CommandRules(before.words + rules.words))
        let version = (infoField("redis_version", in: info) ?? "").split(separator: ".").compactMap { Int($0) }
        return (
            Revocation(before: before, rules: rules, catalog: catalog),
            keepsRules: !version.lexicographicallyPrecedes([7, 2])
        )
    }
}
