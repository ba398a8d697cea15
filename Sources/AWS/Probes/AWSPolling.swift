internal import Basics
internal import Contracts
internal import Experiment

/// In which region, how often and how long a probe asks AWS; what all of them have in common.
struct AWSPolling: Sendable {
    /// AWS limits calls per account and region, for all tools together.
    private static let quickest = Span.milliseconds(500)
    /// A condition takes values that are at most ten seconds old: one that comes less often would hold by chance only.
    static let oftenEnoughForConditions = Span.seconds(5)

    /// The parameters as one probe words them.
    struct Form: Sendable {
        let every: Parameter<Span>
        let timeout = Parameter<Span>.defaulted(
            "timeout", .span, to: .seconds(5), written: "5s", "How long one answer may take, retries included.")
        let slowest: Span

        init(every: Span, written: String, slowest: Span = AWSPolling.oftenEnoughForConditions) {
            self.every = .defaulted(
                "every", .span, to: every, written: written, "The time from one look to the next.")
            self.slowest = slowest
        }

        var parameters: [any AnyParameter] { [AWSTargetSource.regionParameter, every, timeout] }
    }

    let region: String?
    let every: Span
    let timeout: Span

    init(_ form: Form, from reader: inout ParameterReader) {
        region = reader.value(AWSTargetSource.regionParameter)
        every = reader.value(form.every)
        timeout = reader.value(form.timeout)
        if every < Self.quickest || every > form.slowest {
            reader.diagnostics.error(
                "every must be from \(Self.quickest) to \(form.slowest)", at: reader.location(of: form.every.key),
                notes: ["AWS limits how often an account may ask; conditions need values that are not old"])
        }
        if timeout < .milliseconds(100) {
            reader.diagnostics.error("timeout must be at least 100ms", at: reader.location(of: form.timeout.key))
        }
    }

    /// AWS in the region that is written, the resource's own, or the environment's.
    func access(_ resource: ARN? = nil, in context: SystemContext) async throws(FaultError) -> AWSAccess {
        try await AWSAccess(written: region, resource, in: context)
    }

    /// Credentials first; then `look`, whose failure is an error: a name that AWS does not know, a missing right.
    func preflight(
        _ probe: Label, _ resource: ARN? = nil, in context: SystemContext,
        _ look: (AWSAccess) async throws(FaultError) -> [Finding]
    ) async -> [Finding] {
        let findings = await CredentialCheck.findings(in: context)
        if findings.contains(where: { $0.severity == .error }) { return findings }
        do throws(FaultError) {
            return findings + (try await look(try await access(resource, in: context)))
        } catch {
            return findings + [Finding(.error, "probe \(probe): \(error.explained)", advice: error.advice)]
        }
    }
}

/// A resource as a file names it: its identifier in any case, or its ARN.
struct ResourceName: Sendable, Hashable {
    /// In lower case, as RDS and ElastiCache keep it.
    let id: String
    let arn: ARN?

    init(_ text: String) {
        arn = ARN(text)
        id = (arn?.name ?? text).lowercased()
    }

    /// Reads it; the ARN of another service is a mistake in the file.
    init(_ parameter: Parameter<String>, of type: ResourceType, from reader: inout ParameterReader) {
        let text = reader.value(parameter)
        self.init(text)
        let isBroken = arn == nil && text.hasPrefix("arn:")
        if isBroken || arn.map({ $0.service != type.service }) == true {
            reader.diagnostics.error("\(text) is no \(type.rawValue)", at: reader.location(of: parameter.key))
        }
    }
}
