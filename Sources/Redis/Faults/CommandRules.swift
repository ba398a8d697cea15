/// Rights to commands as Redis writes them, `+@all -@write +set`: each rule on top of those before it, the first for all.
struct CommandRules: Sendable, Hashable, CustomStringConvertible {
    let words: [String]

    /// Redis writes in small letters what people write in any.
    init(_ words: [String]) { self.words = words.map { $0.lowercased() } }

    init(_ text: String) { self.init(text.split(separator: " ").map(String.init)) }

    var description: String { words.joined(separator: " ") }

    /// With others on top, as Redis 7 keeps them: a rule takes the place of those for the same command, category, or a
    /// subcommand of it (ACLSelectorRemoveCommandRule in acl.c); one for all takes the place of every one.
    func adding(_ others: some Sequence<String>) -> CommandRules {
        var words = words
        for rule in others {
            let name = rule.dropFirst()
            words.removeAll { old in
                name == "@all" || old.dropFirst() == name || old.dropFirst().hasPrefix("\(name)|")
            }
            words.append(rule)
        }
        return CommandRules(words)
    }
}

/// Which commands a server has, by category: what rules amount to, however they are written.
struct CommandCatalog: Sendable {
    private let categories: [String: Set<String>]
    private let all: Set<String>

    /// - Parameters:
    ///   - categories: as ACL CAT answers. It says nothing of the commands of modules.
    ///   - named: rules whose commands are there, too.
    init(_ categories: [String: Set<String>], named: CommandRules) {
        self.categories = categories
        let others = named.words.map { String($0.dropFirst()) }.filter { !$0.hasPrefix("@") }
        all = categories.values.reduce(into: Set(others)) { $0.formUnion($1) }
    }

    func allowed(by rules: CommandRules) -> Set<String> {
        rules.words.reduce(into: []) { allowed, rule in
            let meant = commands(rule.dropFirst())
            if rule.hasPrefix("+") { allowed.formUnion(meant) } else { allowed.subtract(meant) }
        }
    }

    /// Of a category, or a command with its subcommands.
    private func commands(_ name: Substring) -> Set<String> {
        if name == "@all" { return all }
        if name.hasPrefix("@") { return categories[String(name.dropFirst())] ?? [] }
        return all.filter { $0 == name || $0.hasPrefix("\(name)|") }
    }
}

/// Rights that were taken, and what is to be seen of that later, when others may have changed the same user.
struct Revocation: Sendable {
    /// What the rights of now hold of ours.
    enum Remainder: Sendable, Hashable {
        case nothing
        /// They are ours, with what others have put on top; so they would be without ours.
        case ours(without: CommandRules)
        /// Some that we took are not there, and the rules are neither ours nor upon ours.
        case replaced
    }

    let before: CommandRules
    let after: CommandRules
    let catalog: CommandCatalog
    /// The commands that were allowed before, and are not with our rules.
    let taken: Set<String>

    init(before: CommandRules, rules: CommandRules, catalog: CommandCatalog) {
        self.before = before
        self.catalog = catalog
        after = before.adding(rules.words)
        taken = catalog.allowed(by: before).subtracting(catalog.allowed(by: after))
    }

    func remainder(in now: CommandRules) -> Remainder {
        let allowed = catalog.allowed(by: now)
        if taken.isSubset(of: allowed) { return .nothing }
        // Rules of others come last. The first word, for all, begins anew: whoever wrote it has replaced everything.
        for index in (1...max(now.words.count, 1)).reversed() {
            let others = now.words.dropFirst(index)
            if before.adding(others) == now { return .nothing }
            if after.adding(others) == now { return .ours(without: before.adding(others)) }
        }
        // Before Redis 7 rules were not kept as given, but found again from what they amount to.
        return allowed == catalog.allowed(by: after) ? .ours(without: before) : .replaced
    }
}
