package import Basics
package import Experiment
package import HTTP
package import Process
internal import Synchronization

/// Calls AWS with the credentials and the region that AWS's own tools would use. Nothing is read before the first call.
package final class AWSClient: Sendable {
    /// What the first call finds; a failure is kept as well, so that every call says the same.
    private struct Opened: Sendable {
        var transport: AWSTransport
        var store: CredentialStore
    }

    private let http: HTTPClient
    private let commands: any CommandRunner
    private let environment: [String: String]
    private let files: FileAccess
    private let random: @Sendable () -> Double
    private let opened = Mutex<Result<Opened, AWSError>?>(nil)
    /// Of each access key that was asked for.
    private let accounts = Mutex<[String: String]>([:])
    package let time: any TimeSource

    /// - Parameter random: a number from 0 to 1, for the time between attempts.
    package init(
        http: HTTPClient, commands: any CommandRunner, environment: [String: String], files: FileAccess = .system,
        time: any TimeSource = SystemTimeSource(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0...1) }
    ) {
        self.http = http
        self.commands = commands
        self.environment = environment
        self.files = files
        self.time = time
        self.random = random
    }

    /// Sends a call, signed with credentials that last.
    package func perform(_ call: AWSCall, region: String) async throws(AWSError) -> AWSAnswer {
        let opened = try open()
        if call.isUnsigned { return try await opened.transport.perform(call, region: region) }
        return try await opened.transport.perform(
            call, region: region, credentials: try await opened.store.credentials())
    }

    /// The credentials in force: who they are and when they end. Fetched when there are none yet.
    package func credentials() async throws(AWSError) -> AWSCredentials { try await open().store.credentials() }

    /// The account that the credentials in force are of; asked once for each access key.
    package func account(region: String) async throws(AWSError) -> String {
        let key = try await credentials().accessKey
        if let known = accounts.withLock({ $0[key] }) { return known }
        let answer = try await perform(.query(.sts, "GetCallerIdentity", [], .read), region: region)
        guard let account = answer.xml.string("Account"), !account.isEmpty else {
            throw AWSError(.unexpected, "AWS does not say whose credentials these are", requestID: answer.requestID)
        }
        accounts.withLock { $0[key] = account }
        return account
    }

    /// The region to call: as written in the file, then of the resource's own name, then what the environment, the
    /// profile or the instance says. There is no default: a wrong region would answer "not found", or worse, not.
    package func region(_ written: String?, _ resource: ARN? = nil) async throws(AWSError) -> String {
        if let written, let named = resource?.region, written != named {
            throw AWSError(
                .configuration, "region \(written) is written, but \(resource?.text ?? "") is in \(named)",
                advice: "leave region out")
        }
        if let region = written ?? resource?.region { return region }
        let opened = try open()
        if let region = opened.transport.settings.region { return region }
        if let region = try await InstanceMetadata(opened.transport.settings, opened.transport).region() {
            return region
        }
        throw AWSError.noRegion
    }

    private func open() throws(AWSError) -> Opened {
        let result = opened.withLock { opened -> Result<Opened, AWSError> in
            if let opened { return opened }
            let result = make()
            opened = result
            return result
        }
        return try result.get()
    }

    private func make() -> Result<Opened, AWSError> {
        do throws(AWSError) {
            let settings = try AWSSettings(environment: environment, files: files)
            let transport = AWSTransport(settings, http, time, random: random)
            let chain = CredentialChain(settings: settings, transport: transport, commands: commands)
            let store = CredentialStore(time: time) { () async throws(AWSError) in try await chain.resolve() }
            return .success(Opened(transport: transport, store: store))
        } catch {
            return .failure(error)
        }
    }
}
