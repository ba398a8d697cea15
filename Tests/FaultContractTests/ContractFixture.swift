import Basics
import Contracts
import Docker
import Experiment
import HTTP
import Network
import Postgres
import Process
import Redis

/// Something real that a fault can be injected into, seen with an outsider's eyes.
protocol ContractFixture: Sendable {
    /// The example's fault, as this fixture needs it.
    var fault: any Fault { get }
    var target: Target { get }
    var context: SystemContext { get }
    /// An answer can prove that the target is gone (an engine's 404). An address that does not answer proves nothing.
    var provesAbsence: Bool { get }
    /// How many sorts of namesakes there are.
    var namesakes: Int { get }

    /// What anybody can see of the target, without what every start gives anew.
    func state() async throws -> String
    /// What names this very start of the target.
    func identity() async throws -> String
    /// Waits until another fault can be tried on the target; false when it needs a new one.
    func comesToRest() async throws -> Bool
    /// Makes the target vanish.
    func destroy() async throws
    /// Puts something of the same name or address in the target's place, in a state that looks like the fault's.
    func putNamesake(_ number: Int) async throws
    /// What can be seen of the namesake.
    func namesakeState() async throws -> String
    /// Removes everything.
    func remove() async throws
}

extension ContractFixture {
    func comesToRest() async throws -> Bool { fault.persistence == .untilHealed }
}

/// What faults ask for: this machine, the engine that answers here, and clients.
func contractContext(run: String) throws -> SystemContext {
    var services = Services()
    let host = try LocalHost()
    services.register(host, as: (any Host).self)
    services.register(host, as: (any ProcessTable).self)
    services.register(try LocalCommandRunner(), as: (any CommandRunner).self)
    let network = try LocalNetworkKernel(host: host)
    services.register(network, as: (any NetworkKernel).self)
    services.register(try LocalTrafficControl(network), as: (any TrafficControl).self)
    services.register(try HTTPClient())
    try PostgresKinds.register(in: &services)
    services.register(try RedisClient())
    try DockerKinds.register(in: &services, environment: [:])
    return SystemContext(time: SystemTimeSource(), services: services, secrets: .empty, run: run) { _ in }
}

/// Short, lower-case and different each time.
func freshToken() -> String { String(UInt32.random(in: 0...UInt32.max), radix: 36) }

struct NeverHappened: Error {
    var what: String
}

/// Looks again and again until something holds.
func until(_ what: String, within limit: Span = .minutes(1), _ holds: () async throws -> Bool) async throws {
    let time = SystemTimeSource()
    let deadline = time.now + limit
    while time.now < deadline {
        if try await holds() { return }
        try await time.sleep(for: .milliseconds(20))
    }
    throw NeverHappened(what: what)
}
