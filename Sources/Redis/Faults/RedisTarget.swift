internal import Basics
internal import Contracts

/// The Redis or Sentinel that a fault acts on, as the journal keeps it.
package struct RedisTarget: Sendable, Hashable, Codable {
    package var node: String
    /// As written in the file; no secret is revealed in it.
    package var url: RedisURL

    package init(node: String, url: RedisURL) {
        self.node = node
        self.url = url
    }

    /// One command may take so long; a node that hangs longer cannot be worked on.
    static let patience = Span.seconds(5)

    /// A node that a probe reports, as a target of faults.
    static func target(named node: Label, at url: RedisURL) -> Target {
        Target(id: "redis:\(node)", name: node.text, attributes: [.node: node.text, .redisURL: url.text])
    }

    /// Reads the attribute that Redis faults require, and refuses a password in clear text before it is journalled.
    init(_ target: Target) throws(FaultError) {
        guard let text = target.attributes[.redisURL] else {
            throw FaultError(
                .notApplicable, "target \(target.name) has no Redis address",
                advice: "take the target from a redis.roles probe: {from: roles, is: primary}")
        }
        let url = RedisURL(text)
        if let problem = url.problem {
            throw FaultError(.notApplicable, "target \(target.name): \(problem)", advice: "squall explain redis.roles")
        }
        self.init(node: target.attributes[.node] ?? target.name, url: url)
    }

    /// Runs commands on a connection of their own, with one deadline for all.
    func session<Value: Sendable>(
        in context: SystemContext, _ action: String, patience: Span = patience,
        _ body: (RedisConnection, Instant) async throws(RedisError) -> Value
    ) async throws(FaultError) -> Value {
        let client = try context.services.require(RedisClient.self)
        let deadline = context.time.now + patience
        return try await client.session(url, in: context, until: deadline, "\(action) on \(node) failed") {
            connection throws(RedisError) in
            try await body(connection, deadline)
        }
    }

    /// One command on a connection of its own.
    @discardableResult
    func call(
        _ command: [String], in context: SystemContext, _ action: String, patience: Span = patience
    ) async throws(FaultError) -> RedisValue {
        try await session(in: context, action, patience: patience) { connection, deadline throws(RedisError) in
            try await connection.call(command, until: deadline)
        }
    }

    /// Whether the same process answers that was changed: what a process was told at run time ends with it.
    func isStill(_ process: String, in context: SystemContext) async throws(FaultError) -> Bool {
        try await self.process(in: context) == process
    }

    /// The run id, drawn when the process starts.
    func process(in context: SystemContext) async throws(FaultError) -> String {
        let info = try await call(["INFO", "server"], in: context, "reading the run id").text ?? ""
        guard let process = infoField("run_id", in: info) else {
            throw FaultError(.unexpected, "\(node) does not say its run id", advice: command(["INFO", "server"]))
        }
        return process
    }

    /// What a person would type.
    func command(_ words: [String]) -> String {
        let quoted = words.map { word in
            word.allSatisfy { $0.isLetter || $0.isNumber || "-_.:@+".contains($0) } && !word.isEmpty
                ? word : "'\(word)'"
        }
        return "redis-cli -u '\(url)' \(quoted.joined(separator: " "))"
    }
}

/// A line `name:value` of an answer to INFO.
func infoField(_ name: String, in info: String) -> String? {
    info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }.map {
        String($0.dropFirst(name.count + 1))
    }
}

/// Names and values in turn, as CONFIG GET, ACL GETUSER and SENTINEL MASTER answer them.
func namedValues(_ value: RedisValue) -> [String: RedisValue] {
    let parts = value.array ?? []
    var named: [String: RedisValue] = [:]
    for index in stride(from: 0, to: parts.count - 1, by: 2) {
        if let name = parts[index].text { named[name] = parts[index + 1] }
    }
    return named
}
