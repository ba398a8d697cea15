internal import Basics
internal import Contracts

/// A task of ECS as DescribeTasks shows it.
struct ContainerTask: Sendable, Hashable {
    var arn: String
    var cluster: String
    /// `service:web`, `family:job`
    var group: String
    var lastStatus: String
    var desiredStatus: String
    /// `UserInitiated`; nil while it runs.
    var stopCode: String?
    var stoppedReason: String?
    var zone: String
    var tags: [String: String]

    init(_ value: JSONValue) {
        arn = value["taskArn"]?.string ?? ""
        cluster = value["clusterArn"]?.string ?? ""
        group = value["group"]?.string ?? ""
        lastStatus = value["lastStatus"]?.string ?? ""
        desiredStatus = value["desiredStatus"]?.string ?? ""
        stopCode = value["stopCode"]?.string
        stoppedReason = value["stoppedReason"]?.string
        zone = value["availabilityZone"]?.string ?? ""
        var tags: [String: String] = [:]
        for tag in value["tags"]?.array ?? [] {
            if let key = tag["key"]?.string { tags[key] = tag["value"]?.string ?? "" }
        }
        self.tags = tags
    }
}

extension AWSAccess {
    /// A task; throws `notFound` when ECS has forgotten it (an hour after its end).
    func task(_ arn: String, cluster: String) async throws(FaultError) -> ContainerTask {
        guard let found = try await tasks([arn], cluster: cluster).first else {
            throw FaultError(
                .notFound, "there is no task \(arn) in cluster \(cluster)",
                advice: "aws ecs list-tasks --cluster \(cluster) --region \(region)")
        }
        return found
    }

    func tasks(_ arns: [String], cluster: String) async throws(FaultError) -> [ContainerTask] {
        var found: [ContainerTask] = []
        // AWS takes a hundred at a time.
        for start in stride(from: 0, to: arns.count, by: 100) {
            let some = arns[start..<min(start + 100, arns.count)]
            let input: [String: JSONValue] = [
                "cluster": .string(cluster), "tasks": .array(some.map(JSONValue.string)),
                "include": .array([.string("TAGS")]),
            ]
            let answer = try await perform(.json(.ecs, "DescribeTasks", input, .read), "asking for tasks of \(cluster)")
            found += (answer.json["tasks"]?.array ?? []).map { ContainerTask($0) }
        }
        return found
    }

    func taskNames(cluster: String, service: String?) async throws(FaultError) -> [String] {
        var found: [String] = []
        var input: [String: JSONValue] = ["cluster": .string(cluster)]
        if let service { input["serviceName"] = .string(service) }
        try await pages("listing tasks of \(cluster)") { marker in
            if let marker { input["nextToken"] = .string(marker) }
            return .json(.ecs, "ListTasks", input, .read)
        } next: {
            $0.json["nextToken"]?.string
        } _: { answer in
            found += (answer.json["taskArns"]?.array ?? []).compactMap(\.string)
        }
        return found
    }
}
