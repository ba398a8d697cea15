internal import Basics
internal import Contracts
internal import Experiment

/// What every fault and probe of AWS asks before a run: that there are credentials, and that they outlast it.
enum CredentialCheck {
    static func findings(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let client = try context.services.require(AWSClient.self)
            do throws(AWSError) {
                return judge(try await client.credentials(), context)
            } catch {
                return [Finding(.error, "\(error)", advice: error.advice)]
            }
        } catch {
            return [Finding(.error, error.explained, advice: error.advice)]
        }
    }

    private static func judge(_ credentials: AWSCredentials, _ context: SystemContext) -> [Finding] {
        if let end = credentials.end {
            let left = Span(nanoseconds: end.nanoseconds - context.time.wallClock.nanoseconds)
            guard left > context.longestRun else {
                return [
                    Finding(
                        .error,
                        "the credentials (\(credentials)) end in \(left), and the run may take \(context.longestRun): "
                            + "its faults could not be healed",
                        advice: "get new ones (aws sso login), or lower limits.max-duration")
                ]
            }
        } else if credentials.sessionToken != nil, credentials.expiration == nil {
            return [
                Finding(
                    .warning, "the credentials (\(credentials)) are temporary, and nothing says when they end",
                    advice: "export AWS_CREDENTIAL_EXPIRATION, or use a profile")
            ]
        }
        return []
    }
}
