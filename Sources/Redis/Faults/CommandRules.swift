/// Rights to commands as Redis writes them, `+@all -@write +set`: each rule on top of those before it, the first for all.
struct CommandRules: Sendable, Hashable, CustomStringConvertible {
    let words: [String]

    /// Redis writes in small letters what people write in any.
    init(_ words: [String]) { self.words = words.map { $0.lowercased() } }

    init(_ text: String) { self.init(text.split(separator: " ").map(String.init)) }

    var description: String { words.joined(separator: " ") }

    /// With others on top, as Redis keeps them since 7.2: a rule takes the place of those for the same command, category, or
    /// a subcommand of it (ACLSelectorRemoveCommandRule in acl.c); one for all takes the place of every one.
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
            apply(rule, to: &allowed)
        }
    }

    /// Rules that allow just these commands when they are put on top of others. A command comes before its subcommands,
    /// which it gives and takes with it.
    func rules(upon rules: CommandRules, toAllow wanted: Set<String>) -> [String] {
        var allowed = allowed(by: rules)
        return all.sorted().compactMap { name in
            if wanted.contains(name) == allowed.contains(name) { return nil }
            let rule = (wanted.contains(name) ? "+" : "-") + name
            apply(rule, to: &allowed)
            return rule
        }
    }

    private func apply(_ rule: String, to allowed: inout Set<String>) {
        let meant = commands(rule.dropFirst())
        if rule.hasPrefix("+") { allowed.formUnion(meant) } else { allowed.subtract(meant) }
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
        /// Some that we took are not there. With these rules they are, and what others have changed is as it is.
        case ours(rest: CommandRules)
        /// Somebody else has given the user other rights altogether.
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

    /// - Parameter keepsRules: the server keeps rules as they were given. One before 7.2 finds rules from the commands that
    ///   are allowed, in its own order and without those that change nothing: that a command was taken once more, by
    ///   somebody else, is not to be seen there.
    func remainder(in now: CommandRules, keepsRules: Bool) -> Remainder {
        if taken.isSubset(of: catalog.allowed(by: now)) { return .nothing }
        if keepsRules, let found = remainder(ofText: now) { return found }
        let (left, allowed) = (catalog.allowed(by: after), catalog.allowed(by: now))
        if allowed == left { return .ours(rest: before) }
        // All was taken or given, and then some; or nothing of what we left is there any more.
        let isAnother = now.words.first != after.words.first || (!left.isEmpty && left.isDisjoint(with: allowed))
        if keepsRules || isAnother { return .replaced }
        let wanted = allowed.union(taken)
        if wanted == catalog.allowed(by: before) { return .ours(rest: before) }
        return .ours(rest: CommandRules(now.words + catalog.rules(upon: now, toAllow: wanted)))
    }

    /// Rules of others come last. The first word, for all, begins anew: whoever gave that has replaced everything.
    private func remainder(ofText now: CommandRules) -> Remainder? {
        for index in (1...max(now.words.count, 1)).reversed() {
            let others = now.words.dropFirst(index)
            if before.adding(others) == now { return .nothing }
            if after.adding(others) == now { return .ours(rest: before.adding(others)) }
        }
        return nil
    }
}
