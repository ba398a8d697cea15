import Basics
import Contracts
import Controller
import Experiment
import Redis
import RedisSupport

/// A cluster of three shards on loopback; a replica is the target.
final class ClusterFixture: ContractFixture {
    let fault: any Fault
    let target: Target
    let context: SystemContext
    let provesAbsence = false
    let namesakes = 0

    private let client: RedisClient
    private let group: ClusterGroup

    init(_ contract: Contract) async throws {
        fault = try contract.fault().fault
        context = try contractContext(run: "contract-\(freshToken())")
        let client = try context.services.require(RedisClient.self)
        self.client = client
        let (group, context) = (try await ClusterGroup(), context)
        self.group = group
        target = Target(
            id: "redis:c4", name: "c4", attributes: [.node: "c4", .redisURL: group.nodes[3].url.text])
        try await until("the cluster is whole") {
            try await group.isComplete(client, until: context.time.now + .seconds(15))
        }
    }

    /// What the target is.
    func state() async throws -> String { try await ask(["ROLE"]).array?.first?.text ?? "" }

    func identity() async throws -> String { try await ask(["CLUSTER", "MYID"]).text ?? "" }

    func destroy() async throws { group.nodes[3].send(9) }

    func putNamesake(_ number: Int) async throws {}

    func namesakeState() async throws -> String { "" }

    func remove() async throws {}

    private func ask(_ command: [String]) async throws -> RedisValue {
        let deadline = context.time.now + .seconds(15)
        let connection = try await client.connect(group.nodes[3].url, .empty, until: deadline)
        let answer = try await connection.call(command, until: deadline)
        await connection.close()
        return answer
    }
}
