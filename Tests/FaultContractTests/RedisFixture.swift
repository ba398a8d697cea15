import Basics
import Contracts
import Controller
import Experiment
import Redis
import RedisSupport
import TestSupport

/// A primary and its replica on loopback, with a client of the user `app`; the example says which one is the target.
final class RedisFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    /// A server that does not answer may come back with the fault still in it.
    let provesAbsence = false
    let namesakes = 1

    private static let settings = [
        "repl-diskless-sync-delay 0", "enable-debug-command yes", "user app on nopass ~* &* +@all",
        "maxmemory 24mb",
    ]
    private let client: RedisClient
    private let server: RedisServer
    private let servers: Held<[RedisServer]>
    private let visitor: RedisConnection
    private let isReplica: Bool

    init(_ contract: Contract) async throws {
        let step = try contract.fault()
        fault = step.fault
        context = try contractContext(run: "contract-\(freshToken())")
        client = try context.services.require(RedisClient.self)
        let primary = try await RedisServer(Self.settings)
        let replica = try await RedisServer(Self.settings + ["replicaof 127.0.0.1 \(primary.port)"])
        servers = Held()
        servers.value = [primary, replica]
        isReplica = step.step.targets.first?.value == "replica"
        server = isReplica ? replica : primary
        target = Target(
            id: "redis:cache-1", name: "cache-1", attributes: [.node: "cache-1", .redisURL: server.url.text])
        visitor = try await client.connect(
            RedisURL("redis://app:any@127.0.0.1:\(server.port)"), .empty, until: context.time.now + .seconds(15))
        try await until("the replica is in sync") { [self] in
            try await ask(["INFO", "replication"], of: replica).contains("master_link_status:up")
        }
    }

    func state() async throws -> String {
        let role = try await ask(["INFO", "replication"], of: server)
            .split(whereSeparator: \.isNewline).filter { $0.hasPrefix("role:") || $0.hasPrefix("master_port:") }
        var values: [String] = []
        for name in ["timeout", "min-replicas-to-write", "min-replicas-max-lag"] {
            values.append(try await ask(["CONFIG", "GET", name], of: server))
        }
        let rights = try await ask(["ACL", "GETUSER", "app"], of: server)
        let keys = try await ask(["DBSIZE"], of: server)
        return "\(role) keys: \(keys) \(values) \(rights) waits: \(try await waits())"
    }

    func identity() async throws -> String {
        try await ask(["INFO", "server"], of: server)
            .split(whereSeparator: \.isNewline).first { $0.hasPrefix("run_id:") }.map(String.init) ?? ""
    }

    /// Its port is free afterwards.
    func destroy() async throws {
        server.send(9)
        try await until("the server is gone") { [self] in
            do throws(RedisError) {
                let connection = try await client.connect(
                    server.url, .empty, until: context.time.now + .seconds(5))
                await connection.close()
                return false
            } catch {
                return error.code == .refused
            }
        }
    }

    /// Another server at the address, in the state that every one of the faults would leave.
    func putNamesake(_ number: Int) async throws {
        servers.value?.removeAll { $0 === server }
        let namesake = try await RedisServer(
            Self.settings + ["timeout 1", "min-replicas-to-write 1", "min-replicas-max-lag 2"], port: server.port)
        servers.value?.append(namesake)
        _ = try await ask(["ACL", "SETUSER", "app", "-@write"], of: namesake)
        _ = try await ask(["CLIENT", "PAUSE", "600000", "WRITE"], of: namesake)
    }

    func namesakeState() async throws -> String { "\(try await state()) \(try await identity())" }

    func remove() async throws {
        await visitor.close()
        servers.value = nil
    }

    /// Whether writes are held back.
    private func waits() async throws -> Bool {
        let connection = try await client.connect(server.url, .empty, until: context.time.now + .seconds(15))
        do throws(RedisError) {
            _ = try await connection.call(["PUBLISH", "contract", ""], until: context.time.now + .milliseconds(300))
            await connection.close()
            return false
        } catch {
            await connection.close()
            guard error.code == .timeout else { throw error }
            return true
        }
    }

    private func ask(_ command: [String], of server: RedisServer) async throws -> String {
        let deadline = context.time.now + .seconds(15)
        let connection = try await client.connect(server.url, .empty, until: deadline)
        let answer = try await connection.call(command, until: deadline)
        await connection.close()
        return answer.text ?? "\(answer)"
    }
}
