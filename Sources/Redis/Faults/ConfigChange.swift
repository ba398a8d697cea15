internal import Basics
package import Contracts

/// Settings of a running Redis that a fault has changed, as the journal keeps them.
package struct ConfigChange: Codable, Sendable, Hashable {
    package var target: RedisTarget
    package var installation: Installation
    /// Prior values by name.
    package var before: [String: String]
    package var after: [String: String]

    static let privileges = ["+config|get +config|set +config|rewrite +info +role"]

    /// Whose values are secrets: they would stand in the journal.
    private static let secrets: Set<String> = [
        "requirepass", "masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass",
    ]

    /// With these, squall could not come back to heal.
    private static let doors: Set<String> = [
        "port", "bind", "protected-mode", "maxclients", "unixsocket", "unixsocketperm", "aclfile", "cluster-enabled",
    ]

    /// Why a setting cannot be changed by a fault; nil when it can.
    static func problem(with name: String) -> String? {
        let name = name.lowercased()
        if secrets.contains(name) { return "the prior value of \(name) is a secret and would reach the journal" }
        guard doors.contains(name) || name.hasPrefix("tls-") else { return nil }
        return "with another \(name) squall might not be able to come back and heal"
    }

    /// - Parameter minor: settings that are left alone when they have the value already.
    static func prepare(
        _ settings: [String: String], unlessSame minor: Set<String> = [], on target: Target, in context: SystemContext
    ) async throws(FaultError) -> ConfigChange {
        let target = try RedisTarget(target)
        var (settings, before) = (settings, try await values(of: settings.keys.sorted(), target, context))
        func isSame(_ name: String) -> Bool {
            SettingValue(before[name] ?? "", of: name) == SettingValue(settings[name] ?? "", of: name)
        }
        for name in minor where isSame(name) {
            settings[name] = nil
            before[name] = nil
        }
        for name in settings.keys.sorted() where before[name] == nil {
            throw FaultError(
                .notApplicable, "\(target.node) has no setting \(name)",
                advice: target.command(["CONFIG", "GET", name]))
        }
        let same = settings.keys.filter(isSame).sorted()
        guard same.isEmpty else {
            throw FaultError(
                .notApplicable, "\(target.node) has that already: \(same.joined(separator: ", "))",
                advice: target.command(["CONFIG", "GET", same[0]]))
        }
        return ConfigChange(
            target: target, installation: try await target.installation(in: context), before: before, after: settings)
    }

    func inject(in context: SystemContext) async throws(FaultError) -> Effect {
        let names = after.keys.sorted()
        let (range, values) = try await target.session(in: context, "changing the configuration") {
            connection, deadline throws(RedisError) in
            let begun = context.time.now
            try await Self.set(after, connection, deadline)
            let range = InstantRange(begun, context.time.now)
            let values = try await Self.values(of: names, connection, deadline)
            // A value that the heal would take for somebody else's must not stay, whatever becomes of us after this.
            if values.contains(where: { !isOurs($0.key, $0.value) }) {
                try await Self.set(before, connection, deadline)
            }
            return (range, values)
        }
        // Redis writes numbers its own way (64mb becomes 67108864), so what shows the effect is that the values differ.
        let unchanged = values.filter { before[$0.key] == $0.value }.keys.sorted()
        guard unchanged.isEmpty else {
            return .unproven("\(unchanged.joined(separator: ", ")) of \(target.node) had this value before")
        }
        if let (name, value) = values.sorted(by: { $0.key < $1.key }).first(where: { !isOurs($0.key, $0.value) }) {
            throw FaultError(
                .notApplicable,
                "\(target.node) makes '\(value)' of \(name) '\(after[name] ?? "")': the heal would not know it for ours; "
                    + "the prior values are set again", advice: "write it as \(name): \"\(value)\"")
        }
        let text = values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return .confirmed(range, evidence: "CONFIG GET of \(target.node) says \(text)")
    }

    func heal(kind: String, in context: SystemContext) async throws(FaultError) {
        let (standing, values) = try await values(in: context)
        let changed = values.filter { isOurs($0.key, $0.value) }
        if !changed.isEmpty {
            let values = before.filter { changed[$0.key] != nil }
            try await target.session(in: context, "changing the configuration") {
                connection, deadline throws(RedisError) in
                try await Self.set(values, connection, deadline)
            }
        }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where changed[name] == nil {
            let text = "\(name) of \(target.node) stays '\(value)', which somebody else has set since"
            context.record(.note(Note(at: context.time.now, source: Label(kind), message: text)))
        }
        switch standing {
        case .rewritten: try await target.rewriteFile(in: context)
        case .restarted: if !changed.isEmpty { try await target.rewriteFile(in: context) }
        case .asChanged, .other: break
        }
    }

    func leftover(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let changed = try await values(in: context).values.filter { isOurs($0.key, $0.value) }
            .sorted { $0.key < $1.key }
        guard !changed.isEmpty else { return nil }
        let text = changed.map { "\($0.key) is \($0.value) and was \(before[$0.key] ?? "")" }
        return Leftover(
            kind: kind, target: target.node, description: text.joined(separator: ", "), commands: manual)
    }

    /// Settings that have another value than before.
    private func values(
        in context: SystemContext
    ) async throws(FaultError) -> (standing: Installation.Standing, values: [String: String]) {
        let standing = installation.standing(of: try await target.installation(in: context))
        if case .other = standing { return (standing, [:]) }
        let now = try await Self.values(of: before.keys.sorted(), target, context)
        return (standing, now.filter { before[$0.key] != $0.value })
    }

    /// Whether a setting still is as we have set it; what is another value is another's.
    private func isOurs(_ name: String, _ value: String) -> Bool {
        SettingValue(value, of: name) == SettingValue(after[name] ?? "", of: name)
    }

    var manual: [String] {
        before.sorted { $0.key < $1.key }.map { target.command(["CONFIG", "SET", $0.key, $0.value]) }
    }

    /// One command for each: before Redis 7 it took one setting at a time.
    private static func set(
        _ values: [String: String], _ connection: RedisConnection, _ deadline: Instant
    ) async throws(RedisError) {
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            _ = try await connection.call(["CONFIG", "SET", name, value], until: deadline)
        }
    }

    private static func values(
        of names: [String], _ connection: RedisConnection, _ deadline: Instant
    ) async throws(RedisError) -> [String: String] {
        var values: [String: String] = [:]
        for name in names {
            let answer = try await connection.call(["CONFIG", "GET", name], until: deadline)
            values[name] = namedValues(answer)[name.lowercased()]?.text
        }
        return values
    }

    private static func values(
        of names: [String], _ target: RedisTarget, _ context: SystemContext
    ) async throws(FaultError) -> [String: String] {
        try await target.session(in: context, "reading the configuration") { connection, deadline throws(RedisError) in
            try await values(of: names, connection, deadline)
        }
    }
}

/// A fault that changes settings and nothing else: its kinds differ in which.
package protocol SettingFault: Fault where Undo == ConfigChange {}

extension SettingFault {
    package static var requires: Set<Target.Attribute> { [.redisURL] }

    package func inject(_ undo: ConfigChange, in context: SystemContext) async throws(FaultError) -> Effect {
        try await undo.inject(in: context)
    }

    package static func heal(_ undo: ConfigChange, in context: SystemContext) async throws(FaultError) {
        try await undo.heal(kind: kind, in: context)
    }

    package static func leftover(
        of undo: ConfigChange, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        try await undo.leftover(kind: kind, in: context)
    }

    package static func manualHeal(_ undo: ConfigChange) -> [String] { undo.manual }
}
