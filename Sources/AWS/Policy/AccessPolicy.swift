package import Basics
internal import Contracts
package import Experiment

/// The least IAM policy that an experiment needs, and what of it could not be narrowed.
package struct AccessPolicy: Sendable, Hashable {
    /// What AWS said, for a policy on the resources that there are now.
    package struct Facts: Sendable, Hashable {
        package var account: String?
        /// The region that is called when none is written.
        package var region: String?
        /// Targets as they are now, by name.
        var targets: [String: WrittenTarget] = [:]
        /// Targets that match nothing now: they stay as they are written.
        var unmatched: [String] = []

        package init(account: String? = nil) {
            self.account = account
        }
    }

    /// The largest managed policy, white space not counted.
    private static let largest = 6_144
    /// How a policy is printed.
    package static let keyOrder = ["Version", "Statement", "Sid", "Effect", "Action", "Resource", "Condition"]

    /// `{"Version": "2012-10-17", "Statement": […]}`
    package let document: JSONValue
    /// What is allowed more widely than the experiment needs, or is needed beyond it, and why; each reason once.
    package let gaps: [PolicyGap]
    /// Whether anything in the experiment calls AWS.
    package let isNeeded: Bool

    package init(_ experiment: Experiment, _ facts: Facts = Facts()) {
        let subjects = PolicySubject.all(in: experiment, facts.targets)
        let account = facts.account ?? subjects.lazy.flatMap(\.targets).compactMap(\.writtenAccount).first
        let writers = subjects.map { PolicyWriter($0, account: account, region: facts.region) }
        let statements = PolicyStatement.merged(writers.flatMap(\.needs))
        document = .object(["Version": .string("2012-10-17"), "Statement": .array(statements.map(\.json))])
        var gaps = writers.flatMap(\.gaps)
        for declaration in experiment.probes
        where ProbePrivileges.kinds.contains(declaration.kind) && ProbePrivileges.actions(of: declaration) == nil {
            gaps.append(PolicyGap(declaration.kind, "nobody has written down here what this probe calls"))
        }
        for name in facts.unmatched {
            let searched = subjects.first { $0.name == "target \(name)" }?.actions ?? []
            let reason = "target \(name) matches nothing now and is limited as it is written"
            gaps += searched.map { PolicyGap($0, reason) }
        }
        gaps += AccessPolicy.placeGaps(statements)
        if let text = try? document.text(), text.count > AccessPolicy.largest {
            gaps.append(
                PolicyGap("*", "it has \(text.count) characters, and a managed policy takes \(AccessPolicy.largest)"))
        }
        self.gaps = PolicyGap.grouped(gaps)
        isNeeded = !subjects.isEmpty
    }

    private static func placeGaps(_ statements: [PolicyStatement]) -> [PolicyGap] {
        var gaps: [PolicyGap] = []
        for statement in statements {
            let arns = statement.resources.compactMap { ARN($0) }
            // AWS's own documents have no account, and a global cluster's members are in any region.
            let isOpen = arns.contains { $0.account == "*" && !$0.resource.hasPrefix("document/AWS") }
            let isAnywhere = arns.contains { $0.region == "*" && $0.resource != "cluster:*" }
            for action in statement.actions {
                if isOpen { gaps.append(PolicyGap(action, "the account is not known: write ARNs, or use --resolve")) }
                if isAnywhere { gaps.append(PolicyGap(action, "no region is written: write one, or use --resolve")) }
            }
        }
        return gaps
    }
}

/// Actions that one reason keeps from being narrowed.
package struct PolicyGap: Sendable, Hashable, Encodable {
    package var actions: [String]
    package var reason: String

    init(_ action: String, _ reason: String) {
        actions = [action]
        self.reason = reason
    }

    package var line: String { "\(actions.joined(separator: ", ")): \(reason)" }

    /// Each reason once, with all its actions.
    static func grouped(_ gaps: [PolicyGap]) -> [PolicyGap] {
        Dictionary(grouping: gaps, by: \.reason).map { reason, gaps in
            var gap = PolicyGap("", reason)
            gap.actions = Set(gaps.flatMap(\.actions)).sorted()
            return gap
        }.sorted { ($0.actions.first ?? "", $0.reason) < ($1.actions.first ?? "", $1.reason) }
    }
}
