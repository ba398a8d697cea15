internal import Basics
internal import Contracts

/// Settings of a running Redis that a fault has changed, as the journal keeps them.
package struct ConfigChange: Codable, Sendable, Hashable {
    package var target: RedisTarget
    /// What is set at run time ends with the process.
    package var process: String
    /// Prior values by name.
    package var before: [String: String]
    package var after: [String: String]

    static let privileges = ["+config|get +config|set +info"]

    /// Whose values are secrets: they would stand in the journal.
    private static let secrets: Set<String> = [
        "requirepass", "masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass",
    ]

    /// Why a setting cannot be changed by a fault; nil when it can.
    static func problem(with name: String) -> String? {
        secrets.contains(name.lowercased()) ? "the prior value of \(name) is a secret and would reach the journal" : nil
    }

    /// - Parameter minor: settings that are left alone when they have the value already.
    static func prepare(
        _ settings: [String: String], unlessSame minor: Set<String> = [], on target: Target, in context: SystemContext
    ) async throws(FaultError) -> ConfigChange {
        let target = try RedisTarget(target)
        var (settings, before) = (settings, try await values(of: settings.keys.sorted(), target, context))
        for name in minor where before[name] == settings[name] {
            settings[name] = nil
            before[name] = nil
        }
        for name in settings.keys.sorted() where before[name] == nil {
            throw FaultError(
                .notApplicable, "\(target.node) has no setting \(name)",
                advice: target.command(["CONFIG", "GET", name]))
        }
        let same = settings.filter { before[$0.key] == $0.value }.keys.sorted()
        guard same.isEmpty else {
            throw FaultError(
                .notApplicable, "\(target.node) has that already: \(same.joined(separator: ", "))",
                advice: target.command(["CONFIG", "GET", same[0]]))
        }
        return ConfigChange(
            target: target, process: try await target.process(in: context), before: before, after: settings)
    }

    func inject(in context: SystemContext) async throws(FaultError) -> Effect {
        let begun = context.time.now
        try await set(after, context)
        let ended = context.time.now
        let values = try await Self.values(of: after.keys.sorted(), target, context)
        // Redis writes numbers its own way (64mb becomes 67108864), so what shows the effect is that the values differ.
        let unchanged = values.filter { before[$0.key] == $0.value }.keys.sorted()
        guard unchanged.isEmpty else {
            return .unproven("\(unchanged.joined(separator: ", ")) of \(target.node) had this value before")
        }
        let text = values.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return .confirmed(InstantRange(begun, ended), evidence: "CONFIG GET of \(target.node) says \(text)")
    }

    func heal(in context: SystemContext) async throws(FaultError) {
        if try await !changed(in: context).isEmpty { try await set(before, context) }
    }

    func leftover(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let changed = try await changed(in: context).sorted { $0.key < $1.key }
        guard !changed.isEmpty else { return nil }
        let text = changed.map { "\($0.key) is \($0.value) and was \(before[$0.key] ?? "")" }
        return Leftover(
            kind: kind, target: target.node, description: text.joined(separator: ", "), commands: manual)
    }

    /// Settings that have another value than before; none when another process answers.
    private func changed(in context: SystemContext) async throws(FaultError) -> [String: String] {
        guard try await target.isStill(process, in: context) else { return [:] }
        return try await Self.values(of: before.keys.sorted(), target, context).filter { before[$0.key] != $0.value }
    }

    var manual: [String] {
        before.sorted { $0.key < $1.key }.map { target.command(["CONFIG", "SET", $0.key, $0.value]) }
    }

    /// One command for each: before Redis 7 it took one setting at a time.
    private func set(_ values: [String: String], _ context: SystemContext) async throws(FaultError) {
        try await target.session(in: context, "changing the configuration") { connection, deadline throws(RedisError) in
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                _ = try await connection.call(["CONFIG", "SET", name, value], until: deadline)
            }
        }
    }

    private static func values(
        of names: [String], _ target: RedisTarget, _ context: SystemContext
    ) async throws(FaultError) -> [String: String] {
        try await target.session(in: context, "reading the configuration") { connection, deadline throws(RedisError) in
            var values: [String: String] = [:]
            for name in names {
                let answer = try await connection.call(["CONFIG", "GET", name], until: deadline)
                values[name] = namedValues(answer)[name.lowercased()]?.text
            }
            return values
        }
    }
}
