import Basics
import Contracts
import Experiment
import Glibc
import RedisSupport
import TestSupport
import Testing

@testable import Redis

/// What the contract of faults does not see: files that somebody else rewrites, roles that others build upon, refusals.
@Suite struct FaultTests {
    private func target(_ server: RedisServer) -> Target { RedisTarget.target(named: "node", at: server.url) }

    private func setting(_ server: RedisServer, _ fixture: RedisFixture) async throws -> String? {
        try await fixture.ask(server, ["CONFIG", "GET", "timeout"]).array?.last?.text
    }

    /// A Sentinel rewrites the file of a node whose role it changes, with our value in it.
    @Test(arguments: [false, true])
    func aChangeThatReachedTheFileIsTakenOutOfItAgain(isRestarted: Bool) async throws {
        let (fixture, folder) = (try RedisFixture(), try TemporaryFolder())
        let primary = try await RedisServer()
        var server = try await RedisServer(["replicaof 127.0.0.1 \(primary.port)"], folder: folder)
        let fault = try fixture.fault(ConfigFault.self, ConfigFault.parameters, "settings: {timeout: \"77\"}")
        let undo = try await fault.prepare(target(server), in: fixture.context)
        guard case .confirmed = try await fault.inject(undo, in: fixture.context) else {
            Issue.record("no effect")
            return
        }
        _ = try await fixture.ask(server, ["REPLICAOF", "NO", "ONE"])
        #expect(try await fixture.ask(server, ["CONFIG", "REWRITE"]).text == "OK")
        let file = "\(folder.path)/redis.conf"
        #expect(try ChildProcess.run(["cat", file]).contains("timeout 77"))
        if isRestarted {
            server = try await restarted(server, in: folder, fixture)
            #expect(try await setting(server, fixture) == "77")
        }
        #expect(try await ConfigFault.leftover(of: undo, in: fixture.context) != nil)
        for _ in 1...2 { try await ConfigFault.heal(undo, in: fixture.context) }
        #expect(try await ConfigFault.leftover(of: undo, in: fixture.context) == nil)
        #expect(try await setting(server, fixture) == "0")
        #expect(try !ChildProcess.run(["cat", file]).contains("timeout 77"))
    }

    /// The same file at the same port, in another process.
    private func restarted(
        _ server: RedisServer, in folder: TemporaryFolder, _ fixture: RedisFixture
    ) async throws -> RedisServer {
        let text = try ChildProcess.run(["cat", "\(folder.path)/redis.conf"])
        server.send(SIGKILL)
        try await eventually("it is gone") {
            do throws(RedisError) {
                let connection = try await fixture.client.connect(server.url, .empty, until: .soon(.seconds(2)))
                await connection.close()
                return false
            } catch {
                return error.code == .refused
            }
        }
        // The last line of a setting wins.
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        return try await RedisServer(lines, folder: folder, port: server.port)
    }

    @Test func aForkThatOthersFollowIsLeftAlone() async throws {
        let fixture = try RedisFixture()
        let old = try await RedisServer(["repl-diskless-sync-delay 0"])
        let fork = try await RedisServer(["repl-diskless-sync-delay 0", "replicaof 127.0.0.1 \(old.port)"])
        let other = try await RedisServer(["replicaof 127.0.0.1 \(old.port)"])
        let fault = try fixture.fault(ReplicaOfFault.self, ReplicaOfFault.parameters, "{}")
        let undo = try await fault.prepare(target(fork), in: fixture.context)
        _ = try await fault.inject(undo, in: fixture.context)
        #expect(try await ReplicaOfFault.leftover(of: undo, in: fixture.context) != nil)
        // As Sentinels do when the old primary is gone.
        old.send(SIGKILL)
        _ = try await fixture.ask(other, ["REPLICAOF", "127.0.0.1", "\(fork.port)"])
        try await eventually("the other one follows the fork") {
            try await fixture.ask(fork, ["INFO", "replication"]).text?.contains("connected_slaves:1") == true
        }
        try await ReplicaOfFault.heal(undo, in: fixture.context)
        #expect(try await ReplicaOfFault.leftover(of: undo, in: fixture.context) == nil)
        #expect(try await fixture.ask(fork, ["ROLE"]).array?.first?.text == "master")
    }

    @Test func whatWouldLockTheHealOutIsRefused() async throws {
        let fixture = try RedisFixture()
        for name in ["maxclients", "port", "tls-port", "requirepass", "Bind"] {
            #expect(throws: RedisFixture.Unreadable.self) {
                try fixture.fault(ConfigFault.self, ConfigFault.parameters, "settings: {\(name): \"1\"}")
            }
        }
        let server = try await RedisServer()
        let fault = try fixture.fault(RevokeFault.self, RevokeFault.parameters, "user: default")
        let error = await #expect(throws: FaultError.self) {
            try await fault.prepare(target(server), in: fixture.context)
        }
        #expect(error?.message.contains("squall itself is default") == true)
    }
}
