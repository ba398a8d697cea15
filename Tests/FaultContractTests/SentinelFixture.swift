import Basics
import Contracts
import Controller
import Experiment
import Redis
import RedisSupport
import TestSupport

/// Three Sentinels that watch a primary and two replicas on loopback; the first Sentinel is the target.
final class SentinelFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    let provesAbsence = false
    let namesakes = 0

    private let client: RedisClient
    private let group: SentinelGroup

    init(_ contract: Contract) async throws {
        fault = try contract.fault().fault
        context = try contractContext(run: "contract-\(freshToken())")
        let client = try context.services.require(RedisClient.self)
        self.client = client
        let (group, context) = (try await SentinelGroup(), context)
        self.group = group
        target = Target(
            id: "redis:s1", name: "s1", attributes: [.node: "s1", .redisURL: group.sentinels[0].url.text])
        try await until("the Sentinels know each other") {
            try await group.isComplete(client, until: context.time.now + .seconds(15))
        }
    }

    /// Whom the first Sentinel takes for the primary.
    func state() async throws -> String {
        try await ask(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelGroup.master])
    }

    func identity() async throws -> String { try await ask(["SENTINEL", "MYID"]) }

    func destroy() async throws { group.sentinels[0].send(9) }

    func putNamesake(_ number: Int) async throws {}

    func namesakeState() async throws -> String { "" }

    func remove() async throws {}

    private func ask(_ command: [String]) async throws -> String {
        let deadline = context.time.now + .seconds(15)
        let connection = try await client.connect(group.sentinels[0].url, .empty, until: deadline)
        let answer = try await connection.call(command, until: deadline)
        await connection.close()
        return "\(answer)"
    }
}
