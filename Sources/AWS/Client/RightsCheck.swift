internal import Basics
internal import Contracts
internal import Experiment

/// Asks IAM's simulation, before a run, whether the credentials may do what a fault needs.
///
/// The simulation is asked for all resources: a right that is scoped looks like none to it. So only an explicit denial
/// is an error; anything less is said, and the run goes on.
enum RightsCheck {
    static func findings(_ actions: [String], for target: Target, in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let access = try await AWSAccess(written: target.attributes[.awsRegion], in: context)
            let caller = try await access.perform(
                .query(.sts, "GetCallerIdentity", [], .read), "asking whose credentials these are")
            guard let principal = principal(caller.xml.string("Arn") ?? "") else { return [] }
            let names = actions.enumerated().map { ("ActionNames.member.\($0 + 1)", $1) }
            let answer = try await access.perform(
                .query(.iam, "SimulatePrincipalPolicy", [("PolicySourceArn", principal)] + names, .read),
                "simulating the rights of \(principal)")
            return judge(answer.xml.list("EvaluationResults"), principal)
        } catch {
            return [
                Finding(
                    .warning, "rights were not checked before the run: \(error.explained)",
                    advice: "allow iam:SimulatePrincipalPolicy, or compare with squall iam-policy EXPERIMENT")
            ]
        }
    }

    private static func judge(_ results: [XMLNode], _ principal: String) -> [Finding] {
        func actions(_ decision: String) -> String? {
            let found = results.filter { $0.string("EvalDecision") == decision }
            return found.isEmpty ? nil : found.compactMap { $0.string("EvalActionName") }.joined(separator: ", ")
        }
        var findings: [Finding] = []
        if let denied = actions("explicitDeny") {
            findings.append(
                Finding(.error, "\(principal) is denied \(denied)", advice: "squall iam-policy EXPERIMENT"))
        }
        if let open = actions("implicitDeny") {
            findings.append(
                Finding(
                    .warning,
                    "\(principal) is not allowed \(open) everywhere; whether it is on these targets was not asked",
                    advice: "squall iam-policy EXPERIMENT"))
        }
        return findings
    }

    /// Whose policies count: of a role's session, the role; nil for the account itself, which may do everything.
    static func principal(_ arn: String) -> String? {
        guard let parsed = ARN(arn), parsed.resource != "root" else { return nil }
        guard parsed.resource.hasPrefix("assumed-role/") else { return arn }
        let role = parsed.resource.split(separator: "/").dropFirst().first ?? ""
        return "arn:\(parsed.partition):iam::\(parsed.account):role/\(role)"
    }
}
