package import Basics
package import Contracts
internal import Experiment

/// Connects to whoever is the primary now, as clients that follow Sentinels do.
///
/// Every Sentinel is asked at once; what most of them name is tried first, and is the primary only if it says so itself
/// (`ROLE`): for some seconds after a failover a Sentinel may still name the old one.
package struct PrimaryFinder: Sendable {
    /// A connection to a server that has called itself a primary on it.
    package struct Found: Sendable {
        package var connection: RedisConnection
        /// As it can be reached from here.
        package var url: RedisURL
    }

    /// What one Sentinel said.
    private enum Answer: Sendable {
        case names(String)
        case knowsNothing(RedisURL)
        case failed(RedisError)
    }

    package let location: PrimaryLocation
    private let client: RedisClient
    private let secrets: SecretStore

    package init(_ location: PrimaryLocation, _ client: RedisClient, _ secrets: SecretStore) {
        self.location = location
        self.client = client
        self.secrets = secrets
    }

    /// Errors of the phase `connect`: nothing of the caller's was sent.
    package func connect(until deadline: Instant) async throws(RedisError) -> Found {
        if let url = location.url { return try await verified(url, named: nil, until: deadline) }
        let named = try await named(until: deadline)
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

    /// The addresses that Sentinels name, the one with the most voices first.
    private func named(until deadline: Instant) async throws(RedisError) -> [String] {
        let answers = await withTaskGroup(of: Answer.self) { group in
            for sentinel in location.sentinels { group.addTask { await ask(sentinel, until: deadline) } }
            var answers: [Answer] = []
            // A Sentinel that hangs must not hold up what the others have agreed on.
            for await answer in group {
                answers.append(answer)
                if Self.agree(answers, of: location.sentinels.count) { group.cancelAll() }
            }
            return answers
        }
        let voices = Self.voices(answers)
        if !voices.isEmpty { return voices.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key) }
        for case .knowsNothing(let sentinel) in answers {
            throw RedisError(
                .server, phase: .connect, word: "UNKNOWN-MASTER",
                message: "no Sentinel knows a primary with the name \(location.master)", subject: sentinel.text)
        }
        for case .failed(let error) in answers { throw error }
        throw RedisError(.unreachable, phase: .connect, message: "there is no Sentinel to ask")
    }

    private static func voices(_ answers: [Answer]) -> [String: Int] {
        var voices: [String: Int] = [:]
        for case .names(let address) in answers { voices[address, default: 0] += 1 }
        return voices
    }

    private static func agree(_ answers: [Answer], of all: Int) -> Bool {
        voices(answers).values.contains { $0 * 2 > all }
    }

    private func ask(_ sentinel: RedisURL, until deadline: Instant) async -> Answer {
        do throws(RedisError) {
            let connection = try await client.connect(sentinel, secrets, until: deadline)
            do throws(RedisError) {
                let answer = try await connection.call(
                    ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", location.master], until: deadline)
                await connection.close()
                guard let address = announcedAddress(answer.array ?? []) else { return .knowsNothing(sentinel) }
                return .names(address)
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            var failure = error
            (failure.phase, failure.commandSent) = (.connect, false)
            return .failed(failure)
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
                failure.message = "Sentinels name \(address) as the primary of \(location.master), but: \(error.message)"
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
