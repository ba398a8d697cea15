package import Basics
package import Contracts
internal import Experiment

/// Connects to whoever is the primary now, as clients that follow Sentinels do.
///
/// Every Sentinel is asked at once; what the newest configuration names is tried first, and is the primary only if it says so
/// itself (`ROLE`): for some two seconds after a failover most Sentinels still name the old one.
package struct PrimaryFinder: Sendable {
    /// A connection to a server that has called itself a primary on it.
    package struct Found: Sendable {
        package var connection: RedisConnection
        /// As it can be reached from here.
        package var url: RedisURL
    }

    /// What one Sentinel said.
    private enum Answer: Sendable {
        case names(SentinelView)
        case knowsNothing(RedisURL)
        case failed(RedisError)
        /// The rest need not be waited for any longer.
        case enough
    }

    /// Right after a failover the one Sentinel that knows of it may be the last to answer.
    private static let grace = Span.milliseconds(50)

    package let location: PrimaryLocation
    private let client: RedisClient
    private let secrets: SecretStore
    private var time: any TimeSource { client.loop.clock }

    package init(_ location: PrimaryLocation, _ client: RedisClient, _ secrets: SecretStore) {
        self.location = location
        self.client = client
        self.secrets = secrets
    }

    /// Errors of the phase `connect`: nothing of the caller's was sent.
    package func connect(until deadline: Instant) async throws(RedisError) -> Found {
        if let url = location.url { return try await verified(url, named: nil, until: deadline) }
        // Sentinels that hang must leave time for the primary that the others name.
        let now = time.now
        let named = try await named(until: now + (deadline - now) / 3)
        var failure: RedisError?
        for address in named {
            do throws(RedisError) {
                return try await verified(location.reach(address), named: address, until: deadline)
            } catch {
                failure = failure ?? error
            }
        }
        throw failure ?? RedisError(.unreachable, phase: .connect, message: "no Sentinel names a primary")
    }

    /// Where whoever is the primary now can be reached.
    package func url(in context: SystemContext) async throws(FaultError) -> RedisURL {
        do throws(RedisError) {
            let found = try await connect(until: context.time.now + .seconds(5))
            await found.connection.close()
            return found.url
        } catch {
            var failure = error
            failure.message = secrets.redact(error.message)
            throw failure.faultError(
                "there is no primary to write to (\(location.summary))", advice: location.advice)
        }
    }

    /// The addresses that Sentinels name, of the newest configuration first.
    private func named(until deadline: Instant) async throws(RedisError) -> [String] {
        let answers = await withTaskGroup(of: Answer.self) { group in
            for sentinel in location.sentinels { group.addTask { await ask(sentinel, until: deadline) } }
            var answers: [Answer] = []
            // A Sentinel that hangs must not hold up what most of them have said.
            for await answer in group {
                if case .enough = answer { group.cancelAll() }
                let before = Self.views(answers).count * 2 > location.sentinels.count
                answers.append(answer)
                if !before, Self.views(answers).count * 2 > location.sentinels.count {
                    let time = time
                    group.addTask {
                        try? await time.sleep(for: Self.grace)
                        return .enough
                    }
                }
                if Self.views(answers).count == location.sentinels.count { group.cancelAll() }
            }
            return answers
        }
        var named: [String] = []
        for view in Self.views(answers).sorted(by: { $0.epoch > $1.epoch }) where !named.contains(view.address) {
            named.append(view.address)
        }
        if !named.isEmpty { return named }
        for case .knowsNothing(let sentinel) in answers {
            throw RedisError(
                .server, phase: .connect, word: "UNKNOWN-MASTER",
                message: "no Sentinel knows a primary with the name \(location.master)", subject: sentinel.text)
        }
        for case .failed(let error) in answers { throw error }
        throw RedisError(.unreachable, phase: .connect, message: "there is no Sentinel to ask")
    }

    private static func views(_ answers: [Answer]) -> [SentinelView] {
        answers.compactMap { if case .names(let view) = $0 { view } else { nil } }
    }

    private func ask(_ sentinel: RedisURL, until deadline: Instant) async -> Answer {
        do throws(RedisError) {
            let question = ["SENTINEL", "MASTER", location.master]
            let (values, connection) = try await client.ask([question], of: sentinel, secrets, until: deadline)
            if let view = values.first.flatMap({ SentinelView($0) }) { return .names(view) }
            guard case .error(let text) = values.first, !text.contains("No such master") else {
                return .knowsNothing(sentinel)
            }
            return .failed(RedisError(answer: text, phase: .connect, subject: connection.subject))
        } catch {
            return .failed(error)
        }
    }

    private func verified(
        _ url: RedisURL, named address: String?, until deadline: Instant
    ) async throws(RedisError) -> Found {
        do throws(RedisError) {
            let connection = try await client.connect(url, secrets, until: deadline, .ignored)
            do throws(RedisError) {
                let role = try await connection.call(["ROLE"], until: deadline, .ignored)
                guard role.array?.first?.text == "master" else {
                    throw RedisError(
                        .server, phase: .connect, word: "NOT-PRIMARY",
                        message: "it calls itself \(role.array?.first?.text ?? "nothing")", subject: connection.subject)
                }
                return Found(connection: connection, url: url)
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            var failure = error
            (failure.phase, failure.commandSent) = (.connect, false)
            if let address {
                failure.message =
                    "Sentinels name \(address) as the primary of \(location.master), but: \(error.message)"
            }
            throw failure
        }
    }
}

/// `[host, port]` as `host:port`, an IPv6 address in brackets; nil for anything else.
func announcedAddress(_ parts: [RedisValue]) -> String? {
    guard parts.count >= 2, let host = parts[0].text, let port = parts[1].integer else { return nil }
    return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}
