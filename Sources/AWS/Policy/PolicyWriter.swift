internal import Basics

/// Turns what one step, probe or target calls into needs, as narrow as the file allows, and notes what is not narrow.
struct PolicyWriter: Sendable {
    private(set) var needs: [PolicyNeed] = []
    private(set) var gaps: [PolicyGap] = []

    private let subject: PolicySubject
    private let account: String?
    private let region: String?

    /// - Parameters:
    ///   - account: of the caller, when it is known.
    ///   - region: where it is not written, when it is known.
    init(_ subject: PolicySubject, account: String?, region: String?) {
        self.subject = subject
        self.account = account
        self.region = region
        for action in subject.actions.sorted() {
            write(action)
            for dependent in PolicyScope.dependents[action] ?? [] { write(dependent) }
            if let advice = PolicyScope.advice[action] { gaps.append(PolicyGap(action, advice)) }
        }
    }

    private mutating func write(_ action: String) {
        switch PolicyScope.ofAction[action] {
        case nil:
            add(action, ["*"])
            gaps.append(PolicyGap(action, "nobody has written down here what it can be limited to"))
        case .everything:
            add(action, ["*"])
            let reason =
                PolicyStatement.isRead(action)
                ? "AWS has no narrower resource for it, or Squall asks for the whole list"
                : "AWS has no narrower resource for it"
            gaps.append(PolicyGap(action, reason))
        case .unknown(let resources, let why):
            add(action, resources.map { place.arn(Self.service(of: action), $0) })
            gaps.append(PolicyGap(action, why))
        case .target: onTargets(action)
        case .tasks: onTasks(action)
        case .cluster: add(action, ["*"], clusterCondition)
        case .globalCluster:
            let members = PolicyARN(region: nil, account: place.account).arn("rds", "cluster:*")
            add(action, targetResources + [members])
            gaps.append(PolicyGap(action, "which clusters are members is known when AWS is asked"))
        case .command: onDocuments(action)
        case .parameter(let key): add(action, [parameter(key)])
        case .some(let scope): fixed(scope, action)
        }
    }

    /// Scopes that make one statement of what the step says.
    private mutating func fixed(_ scope: PolicyScope, _ action: String) {
        switch scope {
        case .hostedZone: add(action, [hostedZone])
        case .hostedZoneChange: add(action, [hostedZone], recordConditions)
        case .change: add(action, [place.ofNobody("route53", "change/*")])
        case .healthCheck: add(action, [place.ofNobody("route53", "healthcheck/\(parameter("health-check"))")])
        case .template: add(action, [template])
        case .experiment: add(action, [place.arn("fis", "experiment/*")])
        case .templateAndExperiment: add(action, [place.arn("fis", "experiment/*"), template])
        case .newACL:
            let made = PolicyCondition(test: "StringEquals", key: "ec2:CreateAction", values: ["CreateNetworkAcl"])
            add(action, [place.arn("ec2", "network-acl/*")], [made])
        case .ourACL:
            let ours = PolicyCondition(test: "StringLike", key: "ec2:ResourceTag/squall", values: ["squall-*"])
            add(action, [place.arn("ec2", "network-acl/*")], [ours])
        case .subnetAndACL:
            add(action, [place.arn("ec2", "network-acl/*")])
            onTargets(action)
            gaps.append(PolicyGap(action, "which network ACLs the subnets have is known when the step starts"))
        case .everything, .unknown, .target, .globalCluster, .parameter, .tasks, .cluster, .command: break
        }
    }

    private mutating func add(_ action: String, _ resources: [String], _ conditions: [PolicyCondition] = []) {
        needs.append(PolicyNeed(action: action, resources: resources, conditions: conditions))
    }

    /// The region and the account of what the subject names.
    private var place: PolicyARN {
        let arns = ["resource", "control", "document"].lazy.compactMap { subject.parameters[$0]?.string }
            .compactMap { ARN($0) }
        let written =
            subject.targets.lazy.compactMap(\.writtenRegion).first ?? subject.parameters["region"]?.string
            ?? arns.compactMap(\.region).first
        let named = subject.targets.lazy.compactMap(\.writtenAccount).first
        return PolicyARN(region: written ?? region, account: named ?? account)
    }

    private func place(of target: WrittenTarget) -> PolicyARN {
        PolicyARN(region: target.writtenRegion ?? place.region, account: target.writtenAccount ?? place.account)
    }

    private var targetResources: [String] { subject.targets.flatMap { place(of: $0).resources($0) } }

    private mutating func onTargets(_ action: String) {
        if subject.isLate { late(action) }
        for target in subject.targets {
            let conditions = tagConditions(target, prefix: target.type.service == "ec2" ? "ec2" : "aws")
            let zone = zoneCondition(target, action)
            add(action, place(of: target).resources(target), conditions + (zone.map { [$0] } ?? []))
        }
    }

    /// Targets that a probe finds: everything of the kind that the service has.
    private mutating func late(_ action: String) {
        add(action, [place.arn(Self.service(of: action), "*")])
        gaps.append(PolicyGap(action, "its target is found by a probe while the run goes"))
    }

    private func tagConditions(_ target: WrittenTarget, prefix: String) -> [PolicyCondition] {
        let word = prefix == "ssm" ? "resourceTag" : "ResourceTag"
        return target.tags.sorted { $0.key < $1.key }.map { key, value in
            PolicyCondition(test: "StringEquals", key: "\(prefix):\(word)/\(key)", values: [value])
        }
    }

    private mutating func zoneCondition(_ target: WrittenTarget, _ action: String) -> PolicyCondition? {
        guard let zone = target.zone else { return nil }
        if target.type.service == "ec2", !action.hasPrefix("ssm:") {
            return PolicyCondition(test: "StringEquals", key: "ec2:AvailabilityZone", values: [zone])
        }
        gaps.append(PolicyGap(action, "AWS has no condition on the zone here: it holds in all of them"))
        return nil
    }

    private mutating func onTasks(_ action: String) {
        if subject.isLate { late(action) }
        for target in subject.targets {
            let conditions = clusterCondition(target) + tagConditions(target, prefix: "aws")
            add(action, place(of: target).resources(target), conditions)
            if target.zone != nil || target.service != nil {
                gaps.append(
                    PolicyGap(action, "AWS has no condition on a task's service or zone: it holds in its cluster"))
            }
        }
    }

    private var clusterCondition: [PolicyCondition] { subject.targets.flatMap { clusterCondition($0) } }

    private func clusterCondition(_ target: WrittenTarget) -> [PolicyCondition] {
        let place = place(of: target)
        let arn =
            target.cluster.flatMap { ARN($0)?.text } ?? place.arn("ecs", "cluster/\(place.clusterName(of: target))")
        return [PolicyCondition(test: "ArnEquals", key: "ecs:cluster", values: [arn])]
    }

    private mutating func onDocuments(_ action: String) {
        let names =
            [subject.parameters["document"]?.string ?? "AWS-RunShellScript"]
            + [subject.parameters["undo-document"]?.string].compactMap { $0 }
        add(action, names.map { place.document($0) })
        if subject.isLate { add(action, [place.arn("ec2", "instance/*")]) }
        for target in subject.targets {
            _ = zoneCondition(target, action)
            add(action, place(of: target).resources(target), tagConditions(target, prefix: "ssm"))
        }
    }

    private func parameter(_ key: String) -> String { subject.parameters[key]?.string ?? "*" }

    private var template: String { place.arn("fis", "experiment-template/\(parameter("template"))") }

    /// An identifier may be written as a path, `/hostedzone/Z…`.
    private var hostedZone: String {
        place.ofNobody("route53", "hostedzone/\(parameter("hosted-zone").split(separator: "/").last ?? "*")")
    }

    private var recordConditions: [PolicyCondition] {
        let test = "ForAllValues:StringEquals"
        let key = "route53:ChangeResourceRecordSets"
        return [
            PolicyCondition(test: test, key: key + "Actions", values: ["UPSERT"]),
            PolicyCondition(
                test: test, key: key + "NormalizedRecordNames", values: [Self.normalized(parameter("record"))]),
            PolicyCondition(test: test, key: key + "RecordTypes", values: [subject.parameters["type"]?.string ?? "A"]),
        ]
    }

    /// A record's name as Route 53 compares it: lower case, no dot at the end, `\052` for what is no letter of a name.
    static func normalized(_ name: String) -> String {
        let bytes = (name.hasSuffix(".") ? name.dropLast() : name[...]).lowercased().utf8
        return bytes.map { byte in
            if (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "-_.".utf8.contains(byte) {
                return String(UnicodeScalar(byte))
            }
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }.joined()
    }

    private static func service(of action: String) -> String { String(action.prefix { $0 != ":" }) }
}
