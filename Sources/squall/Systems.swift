internal import AWS
internal import Basics
internal import Contracts
internal import Docker
internal import Experiment
internal import HTTP
internal import Network
internal import Postgres
internal import Process
internal import Redis

/// The clients of this process, made once and handed to faults and probes by protocol.
struct Systems {
    let time = SystemTimeSource()
    let registry = standardRegistry()
    let host: LocalHost
    let services: Services
    /// Why no engine can be talked to; nil when one is configured, whether or not it answers.
    let engineProblem: FaultError?

    /// Opens no connection: a run without containers needs no engine.
    init() throws {
        host = try LocalHost()
        var services = Services()
        let http = try HTTPClient(time: time)
        services.register(http)
        services.register(host, as: (any Host).self)
        services.register(host, as: (any ProcessTable).self)
        let network = try LocalNetworkKernel(host: host)
        services.register(network, as: (any NetworkKernel).self)
        services.register(try LocalTrafficControl(network), as: (any TrafficControl).self)
        services.register(try PostgresClient(time: time))
        services.register(try RedisClient(time: time))
        let commands = try LocalCommandRunner()
        services.register(commands, as: (any CommandRunner).self)
        services.register(
            AWSClient(http: http, commands: commands, environment: processEnvironment(), time: time))
        do throws(FaultError) {
            try DockerKinds.register(in: &services, environment: processEnvironment(), time: time)
            engineProblem = nil
        } catch {
            engineProblem = error
        }
        self.services = services
    }

    /// The context of a run, or of a heal.
    func context(
        run: String, secrets: [NamedValue<SecretReference>], record: @escaping @Sendable (HistoryEvent) -> Void
    ) -> SystemContext {
        let loader = SecretLoader(environment: processEnvironment())
        let store = SecretStore(secrets) { reference throws(FaultError) in
            do throws(SecretProblem) {
                return try loader.load(reference)
            } catch {
                throw FaultError(.denied, "\(error)", advice: error.advice)
            }
        }
        return context(run: run, store: store, record: record)
    }

    /// The same with secrets that somebody else keeps.
    func context(
        run: String, store: SecretStore, record: @escaping @Sendable (HistoryEvent) -> Void
    ) -> SystemContext {
        SystemContext(time: time, services: services, secrets: store, run: run, record: record)
    }
}
