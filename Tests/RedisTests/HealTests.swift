import Basics
import Contracts
import RedisSupport
import TestSupport
import Testing

@testable import Redis

/// A heal takes back what the fault has done, and nothing that somebody else did meanwhile.
@Suite struct HealTests {
    private let fixture: RedisFixture
    private let server: RedisServer
    private var target: Target { RedisTarget.target(named: "cache-1", at: server.url) }

    init() async throws {
        fixture = try RedisFixture()
        server = try await RedisServer(["user app on nopass ~* &* +@all -debug", "maxmemory 64mb"])
    }

    private func setting(_ name: String) async throws -> String? {
        try await fixture.ask(server, ["CONFIG", "GET", name]).array?.last?.text
    }

    private func rights(_ user: String = "app") async throws -> String? {
        namedValues(try await fixture.ask(server, ["ACL", "GETUSER", user]))["commands"]?.text
    }

    private func may(_ command: [String]) async throws -> Bool {
        try await fixture.ask(server, ["ACL", "DRYRUN", "app"] + command).text == "OK"
    }

    /// Injects, has somebody else do something, and heals twice.
    private func healed<Kind: Fault>(_ fault: Kind, after others: [[String]]) async throws -> Leftover? {
        let undo = try await fault.prepare(target, in: fixture.context)
        let effect = try await fault.inject(undo, in: fixture.context)
        guard case .confirmed = effect else {
            Issue.record("no effect: \(effect)")
            return nil
        }
        #expect(try await Kind.leftover(of: undo, in: fixture.context) != nil)
        for command in others { _ = try await fixture.ask(server, command) }
        for _ in 1...2 { try await Kind.heal(undo, in: fixture.context) }
        return try await Kind.leftover(of: undo, in: fixture.context)
    }

    // MARK: Settings

    @Test func aSettingThatSomebodyElseHasSetSinceStaysAndTheOthersAreHealed() async throws {
        let fault = try fixture.fault(
            ConfigFault.self, ConfigFault.parameters, "settings: {timeout: \"77\", maxmemory: 32mb}")
        #expect(try await healed(fault, after: [["CONFIG", "SET", "timeout", "99"]]) == nil)
        #expect(try await setting("timeout") == "99")
        #expect(try await setting("maxmemory") == "67108864")
        #expect(fixture.notes.first == "timeout of cache-1 stays '99', which somebody else has set since")
    }

    @Test func aValueThatSomebodyElseHasSetBackIsNotTouched() async throws {
        let fault = try fixture.fault(
            MinReplicasFault.self, MinReplicasFault.parameters, "{replicas: 2, max-lag: 3s}")
        let others = [
            ["CONFIG", "SET", "min-replicas-to-write", "0"], ["CONFIG", "SET", "min-replicas-max-lag", "5"],
        ]
        #expect(try await healed(fault, after: others) == nil)
        #expect(try await setting("min-replicas-to-write") == "0")
        #expect(try await setting("min-replicas-max-lag") == "5")
        #expect(fixture.notes.contains { $0.hasPrefix("min-replicas-max-lag of cache-1 stays '5'") })
        #expect(!fixture.notes.contains { $0.hasPrefix("min-replicas-to-write") })
    }

    @Test(arguments: [
        ("maxmemory", "32MB"), ("appendonly", "YES"), ("notify-keyspace-events", "xKE$"), ("save", "900 1"),
        ("maxmemory-policy", "ALLKEYS-LRU"),
    ])
    func aValueThatRedisWritesInItsOwnWayIsOurs(name: String, value: String) async throws {
        let before = try await setting(name)
        let fault = try fixture.fault(ConfigFault.self, ConfigFault.parameters, "settings: {\(name): '\(value)'}")
        #expect(try await healed(fault, after: []) == nil)
        #expect(try await setting(name) == before)
        #expect(fixture.notes.isEmpty)
    }

    /// Three classes are read, and one is given; a number with a point is read without.
    @Test(arguments: [
        ("client-output-buffer-limit", "replica 1mb 1mb 60"), ("latency-tracking-info-percentiles", "50.00 99"),
    ])
    func aValueThatTheHealWouldNotKnowIsRefusedAndDoesNotStay(name: String, value: String) async throws {
        let before = try await setting(name)
        let fault = try fixture.fault(ConfigFault.self, ConfigFault.parameters, "settings: {\(name): '\(value)'}")
        let undo = try await fault.prepare(target, in: fixture.context)
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: fixture.context) }
        #expect(error?.advice.hasPrefix("write it as \(name): \"") == true)
        #expect(try await setting(name) == before)
        #expect(try await ConfigFault.leftover(of: undo, in: fixture.context) == nil)
    }

    // MARK: Rights

    private func revocation(_ rules: String = "[-@write]") throws -> RevokeFault {
        try fixture.fault(RevokeFault.self, RevokeFault.parameters, "{user: app, rules: \(rules)}")
    }

    @Test func rightsThatSomebodyElseHasChangedSinceStayChanged() async throws {
        let others = [["ACL", "SETUSER", "app", "-debug", "-ping", "-config|set", ">secret"]]
        #expect(try await healed(try revocation(), after: others) == nil)
        _ = try await fixture.ask(server, ["ACL", "SETUSER", "twin", "+@all", "-debug", "-ping", "-config|set"])
        let rights = try #require(try await rights())
        #expect(rights == (try await self.rights("twin")))
        #expect(try await may(["SET", "a", "1"]))
        #expect(try await !may(["PING"]))
        let note = "the rights of user app of cache-1 are '\(rights)' now, which keeps others' changes"
        #expect(fixture.notes == [note])
    }

    @Test func rightsThatSomebodyElseHasSetAnewAreLeftAlone() async throws {
        #expect(try await healed(try revocation(), after: [["ACL", "SETUSER", "app", "-@all", "+get"]]) == nil)
        #expect(try await rights() == "-@all +get")
        #expect(
            fixture.notes.first
                == "the rights of user app of cache-1 are left as others have set them since, '-@all +get'")
    }

    @Test func aUserWhomSomebodyElseHasDeletedIsNotMadeAgain() async throws {
        #expect(try await healed(try revocation(), after: [["ACL", "DELUSER", "app"]]) == nil)
        #expect(try await rights() == nil)
    }

    /// Large letters, a rule that takes the place of others, one that stands there already.
    @Test(arguments: [
        ("+@all -debug", "[-@WRITE]"), ("-@all +@write +config|get", "[-@write, -config]"),
        ("+@all -@write +set", "[-@write]"), ("-@all +set +get", "[-@all]"), ("+@all -ping", "[-CONFIG|GET, -Config]"),
        ("+@all", "[-debug, -@write, -@admin]"), ("+@all -del -debug", "[-@write]"),
    ])
    func rightsComeBackAsTheyWereHoweverRedisWritesThem(before: String, rules: String) async throws {
        _ = try await fixture.ask(
            server, ["ACL", "SETUSER", "app"] + before.split(separator: " ").map(String.init))
        // As Redis writes it.
        let prior = try #require(try await rights())
        #expect(try await healed(try revocation(rules), after: []) == nil)
        #expect(try await rights() == prior)
        #expect(fixture.notes.isEmpty)
    }

    @Test func rulesThatChangeTheTextAndTakeNoRightAreRefused() async throws {
        _ = try await fixture.ask(server, ["ACL", "SETUSER", "app", "-@all", "+get"])
        let fault = try revocation()
        let error = await #expect(throws: FaultError.self) { try await fault.prepare(target, in: fixture.context) }
        #expect(error?.message == "user app of cache-1 has no such rights: '-@all +get'")
    }
}
