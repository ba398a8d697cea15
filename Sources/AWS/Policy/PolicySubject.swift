internal import Basics
internal import Contracts
internal import Experiment

/// A step, a probe or a target of an experiment that calls AWS: what it calls, and what of it limits the calls.
struct PolicySubject: Sendable {
    /// `step fail-over`, `probe alarms`, `target orders`
    var name: String
    var actions: [String]
    var parameters: JSONValue = .object([:])
    /// The targets that a step acts on; empty when it has none, or when they are found while the run goes.
    var targets: [WrittenTarget] = []
    /// Its targets are known only when the step starts.
    var isLate = false

    /// Everything in an experiment that calls AWS.
    ///
    /// - Parameter known: what AWS said of targets, by their names, in place of what the file says.
    static func all(in experiment: Experiment, _ known: [String: WrittenTarget] = [:]) -> [PolicySubject] {
        var targets: [String: WrittenTarget] = [:]
        for declaration in experiment.targets {
            targets[declaration.name] = known[declaration.name] ?? WrittenTarget(declaration)
        }
        var subjects = experiment.method.compactMap { step($0, targets) }
        subjects += experiment.probes.compactMap { declaration in
            guard ProbePrivileges.kinds.contains(declaration.kind) else { return nil }
            return PolicySubject(
                name: "probe \(declaration.name)", actions: ProbePrivileges.actions(of: declaration) ?? [],
                parameters: declaration.parameters.json)
        }
        subjects += experiment.targets.compactMap { declaration in
            guard var target = WrittenTarget(declaration) else { return nil }
            // It is looked for as it is written, whatever was found now.
            target.region = target.writtenRegion ?? known[declaration.name]?.region
            return PolicySubject(
                name: "target \(declaration.name)", actions: search(target.type), targets: [target])
        }
        return subjects
    }

    private static func step(_ step: Step, _ targets: [String: WrittenTarget]) -> PolicySubject? {
        guard let type = AWSKinds.registry.fault(step.fault.kind) else { return nil }
        var diagnostics = Diagnostics()
        let fault = make(type, step.fault, &diagnostics)
        let plan = fault?.plan(for: Target(id: "", name: step.targets.first?.value ?? "", attributes: [:]))
        let known = step.targets.compactMap { targets[$0.value] }
        return PolicySubject(
            name: "step \(step.name)", actions: plan?.privileges ?? [], parameters: step.fault.parameters.json,
            targets: known, isLate: known.count < step.targets.count)
    }

    /// The fault as the file declares it; the file has been checked when it was loaded.
    private static func make<Kind: Fault>(
        _ type: Kind.Type, _ declaration: Declaration, _ diagnostics: inout Diagnostics
    ) -> (any Fault)? {
        ParameterReader.read(declaration.parameters, Kind.parameters, into: &diagnostics) { Kind(from: &$0) }
    }

    /// What finding targets of a type calls.
    static func search(_ type: ResourceType) -> [String] {
        switch type {
        case .auroraCluster: ["rds:DescribeDBClusters"]
        case .globalCluster: ["rds:DescribeGlobalClusters"]
        case .databaseInstance: ["rds:DescribeDBInstances"]
        case .replicationGroup: ["elasticache:DescribeReplicationGroups"]
        case .computeInstance: ["ec2:DescribeInstances"]
        case .containerTask: ["ecs:ListTasks", "ecs:DescribeTasks"]
        case .subnet: ["ec2:DescribeSubnets"]
        }
    }
}

/// What the probes of AWS call: they plan nothing, so nobody else can say.
enum ProbePrivileges {
    private static let table: [String: [String]] = [
        "aurora.cluster": ["rds:DescribeDBClusters", "rds:DescribeDBInstances"],
        "aws.events": [],
        "cloudwatch.alarm": ["cloudwatch:DescribeAlarms"],
        "ec2.instance": ["ec2:DescribeInstances"],
        "elasticache.replication-group": ["elasticache:DescribeReplicationGroups"],
    ]

    /// The kinds of probes that call AWS.
    static var kinds: Set<String> { Set(table.keys).union(AWSKinds.registry.probes.map { $0.kind }) }

    /// nil: nobody has written down what it calls.
    static func actions(of declaration: Declaration) -> [String]? {
        guard declaration.kind == "aws.events" else { return table[declaration.kind] }
        let parameters = declaration.parameters.json
        let services = parameters["services"].map { texts($0) } ?? ["rds", "elasticache"]
        // Sources are looked up by their names before the run.
        let hasSources = !texts(parameters["sources"]).isEmpty
        return services.flatMap { service in
            let names =
                service == "rds"
                ? ["rds:DescribeDBClusters", "rds:DescribeDBInstances"] : ["elasticache:DescribeReplicationGroups"]
            return ["\(service):DescribeEvents"] + (hasSources ? names : [])
        }
    }
}
