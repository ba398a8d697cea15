package import Basics
package import Contracts

/// What the faults and probes need of a container engine; a service, so that a simulated world can stand in.
///
/// A container is named by its id or its name. Errors: `notFound` for no such container, `notApplicable` for one in the
/// wrong state, `unreachable` and `timeout` when the engine did not answer, `denied` when it may not be used.
package protocol ContainerEngine: Sendable {
    /// For messages: `unix:///var/run/docker.sock`.
    var address: String { get }
    /// Processes of its containers may be visible to this machine's kernel.
    var mayBeLocal: Bool { get }
    func version() async throws(FaultError) -> EngineVersion

    func containers(_ scope: ContainerScope, labels: [String: String]) async throws(FaultError) -> [ContainerSummary]
    func inspect(_ container: String) async throws(FaultError) -> ContainerDetails
    /// Columns of `ps` for each process, as the engine sees them.
    func top(_ container: String) async throws(FaultError) -> ProcessListing
    func logs(_ container: String, tail: Int) async throws(FaultError) -> ContainerOutput
    /// Hands over events as they come, from now on, until the task is cancelled or the engine ends the stream.
    func followEvents(_ handle: @Sendable (EngineEvent) -> Void) async throws(FaultError)

    func kill(_ container: String, signal: Signal) async throws(FaultError)
    /// Returns when it has stopped; `timeout` is the time between SIGTERM and SIGKILL, nil the container's own.
    func stop(_ container: String, timeout: Span?) async throws(FaultError)
    /// One that runs already is no error.
    func start(_ container: String) async throws(FaultError)
    func pause(_ container: String) async throws(FaultError)
    func unpause(_ container: String) async throws(FaultError)
    func restart(_ container: String, timeout: Span?) async throws(FaultError)
    func rename(_ container: String, to name: String) async throws(FaultError)
    /// Creates a container that is not started from an Engine API body; returns its id.
    func create(_ name: String, from body: JSONValue) async throws(FaultError) -> String
    func connect(_ container: String, toNetwork network: String, endpoint: JSONValue) async throws(FaultError)
    /// Removes it, running or not; its volumes stay.
    func remove(_ container: String) async throws(FaultError)
    /// Runs a program in a running container to its end. Throws `timeout` at the deadline; the program may run on then.
    func execute(_ execution: Execution, in container: String, until deadline: Instant) async throws(FaultError)
        -> ExecutionResult
}

/// Which containers a listing holds.
package enum ContainerScope: String, Sendable, Hashable, CaseIterable {
    /// Those with a process: running, paused or restarting.
    case running
    case any
}

/// What the engine says of itself.
package struct EngineVersion: Sendable, Hashable {
    /// The version this client speaks with it.
    package var api: APIVersion
    /// `20.10.24`; empty when the engine does not say.
    package var engine: String
    package var kernel: String
    package var system: String

    package init(api: APIVersion, engine: String = "", kernel: String = "", system: String = "") {
        self.api = api
        self.engine = engine
        self.kernel = kernel
        self.system = system
    }
}

/// A program to run in a container.
package struct Execution: Sendable, Hashable {
    package var arguments: [String]
    package var environment: [String: String]
    package var workingDirectory: String?
    package var user: String?
    /// Each stream keeps its first bytes up to this; the rest is counted.
    package var outputLimit: Int

    package init(
        _ arguments: [String], environment: [String: String] = [:], workingDirectory: String? = nil,
        user: String? = nil, outputLimit: Int = 1 << 20
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.outputLimit = outputLimit
    }
}

/// Standard output and standard error of something in a container.
package struct ContainerOutput: Sendable, Hashable {
    package var standardOutput: [UInt8] = []
    package var standardError: [UInt8] = []
    /// Bytes that came, kept or not.
    package var totalOutput = 0
    package var totalError = 0

    package init() {}
}

/// How a program in a container ended.
package struct ExecutionResult: Sendable, Hashable {
    package var exitCode: Int
    package var output: ContainerOutput

    package init(exitCode: Int, output: ContainerOutput) {
        self.exitCode = exitCode
        self.output = output
    }
}

/// A table as `docker top` prints it.
package struct ProcessListing: Sendable, Hashable, Codable {
    package var titles: [String]
    package var processes: [[String]]

    package init(titles: [String], processes: [[String]]) {
        self.titles = titles
        self.processes = processes
    }

    enum CodingKeys: String, CodingKey {
        case titles = "Titles"
        case processes = "Processes"
    }
}

/// Something that happened to a container: `die`, `start`, `health_status: healthy`.
package struct EngineEvent: Sendable, Hashable {
    package var container: String
    package var name: String
    package var action: String
    /// Labels of the container and details of the event, in one table as the engine sends them.
    package var attributes: [String: String]

    package init(container: String, name: String, action: String, attributes: [String: String] = [:]) {
        self.container = container
        self.name = name
        self.action = action
        self.attributes = attributes
    }
}
