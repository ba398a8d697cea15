import Testing

@testable import Redis

/// What is left of rights that were taken, after others have changed the same user: by text, and by what it amounts to.
@Suite struct CommandRulesTests {
    private static let categories: [String: Set<String>] = [
        "read": ["get", "mget"], "write": ["set", "del"], "admin": ["config", "config|get", "config|set", "debug"],
        "connection": ["ping"],
    ]

    private func revocation(_ before: String, _ rules: String) -> Revocation {
        let (before, rules) = (CommandRules(before), CommandRules(rules))
        let catalog = CommandCatalog(Self.categories, named: CommandRules(before.words + rules.words))
        return Revocation(before: before, rules: rules, catalog: catalog)
    }

    /// As ACLUpdateCommandRules in acl.c of Redis 7.2 has it.
    @Test(arguments: [
        ("+@all", "-@write", "+@all -@write"), ("-@all +@write +get", "-@WRITE", "-@all +get -@write"),
        ("+@all -config|get", "-config", "+@all -config"), ("+@all -configx", "-config", "+@all -configx -config"),
        ("+@all -debug", "-@all", "-@all"), ("+@all -@write +set", "-@write -set", "+@all -@write -set"),
    ])
    func rulesAreKeptAsRedisKeepsThemSince7Point2(before: String, rules: String, after: String) {
        #expect(revocation(before, rules).after.description == after)
    }

    @Test(arguments: [
        ("+@all", "-@write", ["del", "set"]),
        // The text changes, and no right is taken.
        ("-@all +get", "-@write", []), ("-@all", "-@all", []), ("+@all -config", "-config|get", []),
        // The rule stands there already, and what comes after it gives the right again.
        ("+@all -@write +set", "-@write", ["set"]), ("-@all +get", "-@all", ["get"]),
        ("+@all -config|get", "-config", ["config", "config|set"]),
        // No category names the commands of modules.
        ("+@all", "-ft.search", ["ft.search"]), ("-@all +select|0", "-select", ["select|0"]),
    ])
    func whatIsTakenIsWhatWasAllowed(before: String, rules: String, taken: [String]) {
        #expect(revocation(before, rules).taken.sorted() == taken)
    }

    private enum Now {
        static let nothing = Revocation.Remainder.nothing
        static let replaced = Revocation.Remainder.replaced
        static func ours(_ rest: String) -> Revocation.Remainder { .ours(rest: CommandRules(rest)) }
    }

    @Test(arguments: [
        // Not yet injected, and as we left it.
        ("+@all", "-@write", "+@all", Now.nothing), ("+@all", "-@write", "+@all -@write", Now.ours("+@all")),
        // Others took something more: even what ours had taken is theirs, too.
        ("+@all", "-@write", "+@all -@write -debug", Now.ours("+@all -debug")),
        ("+@all", "-@write", "+@all -@write -del", Now.ours("+@all -del")),
        ("+@all", "-@write", "+@all -@write +set", Now.ours("+@all +set")),
        // A rule that was there before is given once more, and something after it.
        ("+@all -debug", "-@write", "+@all -@write -debug -ping", Now.ours("+@all -debug -ping")),
        // Others have given it all back, in one way or another.
        ("+@all", "-@write", "+@all +@write", Now.nothing), ("+@all -debug", "-@write", "+@all", Now.nothing),
        ("+@all", "-@write -@admin", "+@all -@write +@admin", Now.ours("+@all +@admin")),
        // Others have begun anew: all of it is theirs.
        ("+@all", "-@write", "-@all +get", Now.replaced), ("+@all -debug", "-@write", "+@all -@write", Now.replaced),
        ("-@all +get +set", "-@write", "-@all +ping", Now.replaced),
        // What has been healed with others' changes is healed, also where these take what ours took.
        ("+@all", "-@write", "+@all -del", Now.nothing),
        ("+@all -@write +set", "-@write", "+@all -@write +set -ping", Now.nothing),
    ])
    func whereRulesAreKeptOnlyOurOwnAreFound(
        before: String, rules: String, now: String, remainder: Revocation.Remainder
    ) {
        let revocation = revocation(before, rules)
        #expect(revocation.remainder(in: CommandRules(now), keepsRules: true) == remainder)
        // After the heal there is nothing more to heal.
        guard case .ours(let rest) = remainder else { return }
        #expect(revocation.remainder(in: rest, keepsRules: true) == .nothing)
    }

    @Test(arguments: [
        ("+@all", "-@write", "+@all", Now.nothing), ("+@all", "-@write", "+@all -@write", Now.ours("+@all")),
        // As Redis found the same rights again: in another order, by other words.
        ("+@all -debug", "-@write", "+@all -@write -debug", Now.ours("+@all -debug")),
        ("+@all", "-debug -@write", "+@all -@write -debug", Now.ours("+@all")),
        ("+@all -del", "-@write", "+@all -set -del", Now.ours("+@all -del")),
        // Others took or gave something else.
        ("+@all", "-@write", "+@all -@write -debug", Now.ours("+@all -@write -debug +del +set")),
        ("-@all +set", "-@write", "-@all +ping", Now.ours("-@all +ping +set")),
        // What is given back with a command and had not been there is taken again.
        ("+@all -config|set", "-config", "+@all -config -ping", Now.ours("+@all -config -ping +config -config|set")),
        ("+@all", "-@write", "+@all +set -del", Now.ours("+@all")),
        // Others have begun anew, or left nothing of it.
        ("+@all", "-@write", "-@all +get", Now.replaced), ("-@all +get +set", "-@write", "-@all", Now.replaced),
        ("+@all -debug", "-@write", "+@all", Now.nothing),
    ])
    func whereRulesAreFoundAgainCommandsDecide(
        before: String, rules: String, now: String, remainder: Revocation.Remainder
    ) {
        let revocation = revocation(before, rules)
        #expect(revocation.remainder(in: CommandRules(now), keepsRules: false) == remainder)
        guard case .ours(let rest) = remainder else { return }
        #expect(revocation.remainder(in: rest, keepsRules: false) == .nothing)
        // Others' changes are as they were.
        let (was, left) = (revocation.catalog.allowed(by: CommandRules(now)), revocation.catalog.allowed(by: rest))
        #expect(left == was.union(revocation.taken))
    }

    @Test(arguments: [
        ("maxmemory", "64mb", "67108864", true), ("maxmemory", "1g", "1000000000", true),
        ("maxmemory", "64mb", "64", false),
        ("appendonly", "YES", "yes", true), ("timeout", "07", "7", true), ("maxmemory-clients", "10%", "10", false),
        ("notify-keyspace-events", "KEA", "AKE", true), ("notify-keyspace-events", "Kg$lshzxetd", "AK", true),
        ("notify-keyspace-events", "Ke", "KE", false), ("save", "900  1 300 10", "900 1 300 10", true),
        (
            "client-output-buffer-limit", "replica 256mb 64mb 60", "slave 268435456 67108864 60", true
        ),
    ])
    func aSettingIsKnownInEveryWayToWriteIt(name: String, given: String, read: String, isSame: Bool) {
        #expect((SettingValue(given, of: name) == SettingValue(read, of: name)) == isSame)
    }
}
