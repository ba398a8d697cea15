internal import Basics
internal import Contracts
internal import HTTP
internal import Synchronization

/// Where an experiment of FIS stands.
struct FISState: Sendable, Hashable {
    /// `pending`, `initiating`, `running`, `completed`, `stopping`, `stopped`, `failed`, `cancelled`.
    var status: String
    var reason: String
    /// Action → its status and reason.
    var actions: [String: String]

    init(_ experiment: JSONValue) {
        status = experiment["state"]?["status"]?.string ?? "unknown"
        reason = experiment["state"]?["reason"]?.string ?? ""
        actions = (experiment["actions"]?.object ?? [:]).mapValues { $0["state"]?["status"]?.string ?? "unknown" }
    }

    var isOver: Bool { ["completed", "stopped", "failed", "cancelled"].contains(status) }
    /// Something was done to a target.
    var hasEffect: Bool { actions.values.contains { $0 == "running" || $0 == "completed" } }

    /// `running (stop-web running, wait pending)`
    var summary: String {
        let parts = actions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let list = parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))"
        return "\(status)\(list)\(reason.isEmpty ? "" : ": \(reason)")"
    }
}

/// Looks at an experiment, and puts what changed since the last look on the run's timeline.
final class FISFollower: Sendable {
    private let id: String
    private let access: AWSAccess
    private let context: SystemContext
    private let last = Mutex(FISState(.object([:])))

    init(_ id: String, _ access: AWSAccess, _ context: SystemContext) {
        self.id = id
        self.access = access
        self.context = context
    }

    var state: FISState { last.withLock { $0 } }

    func look() async throws(FaultError) {
        let now = try await access.experimentState(id)
        let before = last.withLock { last in
            defer { last = now }
            return last
        }
        guard now != before else { return }
        context.record(.note(Note(at: context.time.now, source: "fis", message: "experiment \(id): \(now.summary)")))
    }
}

extension AWSAccess {
    func experimentState(_ id: String) async throws(FaultError) -> FISState {
        let call = AWSCall.rest(.fis, "GetExperiment", .get, "/experiments/\(percentEncoded(id))", .read)
        return FISState(try await perform(call, "asking for FIS experiment \(id)").json["experiment"] ?? .object([:]))
    }

    /// The template's document; throws `notFound` when there is none.
    func experimentTemplate(_ id: String) async throws(FaultError) -> JSONValue {
        let call = AWSCall.rest(
            .fis, "GetExperimentTemplate", .get, "/experimentTemplates/\(percentEncoded(id))", .read)
        return try await perform(call, "asking for FIS template \(id)").json["experimentTemplate"] ?? .object([:])
    }

    /// The newest experiment with our tag; nil when none was started.
    func experiment(marked token: String) async throws(FaultError) -> String? {
        try await experiments().filter { $0["tags"]?["squall"]?.string == token }
            .max { ($0["creationTime"]?.number ?? 0) < ($1["creationTime"]?.number ?? 0) }?["id"]?.string
    }

    /// Anybody's, of one template, that is not over.
    func runningExperiment(of template: String) async throws(FaultError) -> String? {
        try await experiments().first { $0["experimentTemplateId"]?.string == template && !FISState($0).isOver }?["id"]?
            .string
    }

    /// All that FIS remembers.
    func experiments() async throws(FaultError) -> [JSONValue] {
        var found: [JSONValue] = []
        try await pages("listing FIS experiments") { marker in
            let query = marker.map { [(name: "nextToken", value: $0)] } ?? []
            return .rest(.fis, "ListExperiments", .get, "/experiments", query: query, .read)
        } next: {
            $0.json["nextToken"]?.string
        } _: { answer in
            found += answer.json["experiments"]?.array ?? []
        }
        return found
    }

    /// Why no experiment can be started; nil when the lever is not engaged.
    func engagedSafetyLever() async throws(FaultError) -> String? {
        let call = AWSCall.rest(.fis, "GetSafetyLever", .get, "/safetyLevers/default", .read)
        let state = try await perform(call, "asking for the FIS safety lever").json["safetyLever"]?["state"]
        guard let status = state?["status"]?.string, status != "disengaged" else { return nil }
        return "\(status) \(state?["reason"]?.string ?? "")"
    }
}
