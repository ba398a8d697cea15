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

    /// As Redis 7.0.15 answers ACL GETUSER after ACL SETUSER with the rules.
    @Test(arguments: [
        ("+@all", "-@write", "+@all -@write"), ("-@all +@write +get", "-@WRITE", "-@all +get -@write"),
        ("+@all -config|get", "-config", "+@all -config"), ("+@all -configx", "-config", "+@all -configx -config"),
        ("+@all -debug", "-@all", "-@all"), ("+@all -@write +set", "-@write -set", "+@all -@write -set"),
    ])
    func rulesAreKeptAsRedisKeepsThem(before: String, rules: String, after: String) {
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
        static func ours(_ rest: String) -> Revocation.Remainder { .ours(without: CommandRules(rest)) }
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
        // Rules in another order, as a Redis before 7 may find them.
        ("+@all -debug", "-@write", "+@all -set -del -debug", Now.ours("+@all -debug")),
        // Others have given it all back, in one way or another.
        ("+@all", "-@write", "+@all +@write", Now.nothing), ("+@all -debug", "-@write", "+@all", Now.nothing),
        ("+@all", "-@write -@admin", "+@all -@write +@admin", Now.ours("+@all +@admin")),
        // Others have begun anew: all of it is theirs.
        ("+@all", "-@write", "-@all +get", Now.replaced), ("+@all -debug", "-@write", "+@all -@write", Now.replaced),
        // What has been healed with others' changes is healed, also where these take what ours took.
        ("+@all", "-@write", "+@all -del", Now.nothing), ("-@all +set +get", "-@write", "-@all +set +get -set", Now.nothing),
        ("+@all -@write +set", "-@write", "+@all -@write +set -set", Now.nothing),
    ])
    func onlyOurOwnIsFoundAndOthersChangesStay(
        before: String, rules: String, now: String, remainder: Revocation.Remainder
    ) {
        let revocation = revocation(before, rules)
        let normal = CommandRules(now)
        #expect(revocation.remainder(in: normal) == remainder)
        // After the heal there is nothing more to heal.
        if case .ours(let rest) = remainder { #expect(revocation.remainder(in: rest) == .nothing) }
    }

    @Test(arguments: [
        ("maxmemory", "64mb", "67108864", true), ("maxmemory", "1g", "1000000000", true), ("maxmemory", "64mb", "64", false),
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
