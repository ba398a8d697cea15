internal import Basics
package import Contracts
internal import Experiment

/// What the faults of AWS share: credentials are looked at before the run, and a look that fails in passing is no look.
package protocol AWSFault: Fault {}

extension AWSFault {
    package func preflight(_ target: Target, in context: SystemContext) async -> [Finding] {
        let findings = await CredentialCheck.findings(in: context)
        if findings.contains(where: { $0.severity == .error }) { return findings }
        return findings + (await RightsCheck.findings(plan(for: target).privileges, for: target, in: context))
    }
}

extension EffectWatch {
    /// How often AWS is asked while an effect is waited for: its limits are per account.
    static let pace = Span.milliseconds(500)

    /// The same, while single looks may fail: AWS answers "try later" most readily while something fails over.
    func firstTimeDespiteFailures(
        since: Instant, _ holds: () async throws(FaultError) -> Bool
    ) async throws(FaultError) -> InstantRange? {
        try await firstTime(since: since) { () async throws(FaultError) -> Bool in
            do throws(FaultError) {
                return try await holds()
            } catch {
                guard error.code == .unreachable || error.code == .timeout else { throw error }
                return false
            }
        }
    }
}

extension Parameter where Value == Span {
    /// How long an effect is waited for.
    static func timeout(_ span: Span, written: String, _ summary: String) -> Parameter {
        .defaulted("timeout", .span, to: span, written: written, summary)
    }
}

extension ParameterReader {
    /// Reads it; a wait that could show nothing is a mistake in the file.
    mutating func timeout(_ parameter: Parameter<Span>) -> Span {
        let timeout = value(parameter)
        if timeout < .seconds(1) {
            diagnostics.error("\(parameter.key) must be at least 1s", at: location(of: parameter.key))
        }
        return timeout
    }
}
