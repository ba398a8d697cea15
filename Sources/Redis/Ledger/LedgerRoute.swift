internal import Basics
internal import Contracts

/// The way a ledger's path takes to whoever owns a key.
enum LedgerRoute: Sendable {
    /// One server; a client that follows leaves one that refuses writes, and looks for the primary again.
    case server(SharedConnection, isFollowing: Bool)
    case cluster(ClusterRoutes)

    /// A client gives up after so many redirections.
    private static let mostRedirections = 5

    /// Sends commands that are all about one key, and says to whom before they leave.
    func send(
        _ commands: [[String]], about key: String, until deadline: Instant, _ say: (Label) -> Void
    ) async throws(RedisError) -> RedisConnection.Answers {
        switch self {
        case .server(let shared, let isFollowing):
            let opened = try await shared.opened(until: deadline)
            say(opened.node)
            let answers = try await opened.connection.call(pipeline: commands, until: deadline, .ignored)
            if isFollowing, WriteJudgement.isMisplaced(answers.values) { await shared.leave(opened.connection) }
            return answers
        case .cluster(let routes):
            return try await send(commands, about: key, by: routes, until: deadline, say)
        }
    }

    /// As clients of a cluster do: to the owner, and wherever it sends them.
    private func send(
        _ commands: [[String]], about key: String, by routes: ClusterRoutes, until deadline: Instant,
        _ say: (Label) -> Void
    ) async throws(RedisError) -> RedisConnection.Answers {
        var opened = try await routes.opened(for: key, until: deadline)
        var prefix: [[String]] = []
        for _ in 0..<Self.mostRedirections {
            say(opened.node)
            var answers: RedisConnection.Answers
            do throws(RedisError) {
                answers = try await opened.connection.call(pipeline: prefix + commands, until: deadline, .ignored)
            } catch {
                // An owner that hangs may have lost its slots to another node.
                await routes.forget()
                throw error
            }
            answers.values.removeFirst(prefix.count)
            guard case .error(let text) = answers.values.first,
                let redirection = Redirection(text, asked: opened.connection.host)
            else {
                if WriteJudgement.isMisplaced(answers.values) { await routes.forget() }
                return answers
            }
            await routes.learn(redirection)
            // Nothing has happened yet: a refusal is no write.
            opened = try await routes.opened(at: redirection.address, until: deadline)
            prefix = redirection.isMoved ? [] : [["ASKING"]]
        }
        throw RedisError(
            .server, phase: .connect, word: "TOO-MANY-REDIRECTIONS", message: "sent from node to node for \(key)")
    }

    func close() async {
        switch self {
        case .server(let shared, _): await shared.close()
        case .cluster(let routes): await routes.close()
        }
    }
}
