package import Basics
package import Contracts
package import Experiment

/// Opens connections to Redis servers and Sentinels; all of them share one thread.
package final class RedisClient: Sendable {
    /// The executor of every connection; an actor that uses many of them may name it as its own and spare thread hops.
    package let loop: EventLoop
    private let names: HostLookup
    private let time: any TimeSource

    package init(time: any TimeSource = SystemTimeSource()) throws(SystemError) {
        loop = try EventLoop(name: "redis")
        names = HostLookup(loop: loop)
        self.time = time
    }

    /// Reveals the address's secrets and connects to the first of the host's addresses that answers.
    package func connect(
        _ url: RedisURL, _ secrets: SecretStore, until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(RedisError) -> RedisConnection {
        try await connect(try url.revealed(secrets), until: deadline, cancellation)
    }

    package func connect(
        _ endpoint: RedisEndpoint, until deadline: Instant, _ cancellation: Cancellation = .heeded
    ) async throws(RedisError) -> RedisConnection {
        let addresses: [String]
        do throws(HostLookupError) {
            addresses = try await names.addresses(of: endpoint.host, until: deadline)
        } catch {
            throw RedisError(
                error.code == .timeout ? .timeout : .unresolved, phase: .connect, message: error.message,
                subject: endpoint.host)
        }
        var failure = RedisError(.unresolved, phase: .connect, message: "no address", subject: endpoint.host)
        for address in addresses {
            let connection = RedisConnection(subject: endpoint.place, loop: loop, time: time)
            do throws(RedisError) {
                try await connection.open(address, endpoint, until: deadline, cancellation)
                return connection
            } catch {
                failure = error
                // A server has answered, or there is no time left: the next address would be no better.
                if error.code != .refused, error.code != .unreachable { throw error }
            }
        }
        throw failure
    }

    /// Opens a connection for a few commands and closes it again, also after an error.
    ///
    /// Errors come out as faults and probes report them: `action` says what failed on which target, `advice` is the
    /// next command to type.
    package func session<Value: Sendable>(
        _ url: RedisURL, in context: SystemContext, until deadline: Instant, _ action: String, advice: String = "",
        _ body: (RedisConnection) async throws(RedisError) -> Value
    ) async throws(FaultError) -> Value {
        do throws(RedisError) {
            let connection = try await connect(url, context.secrets, until: deadline)
            do throws(RedisError) {
                let value = try await body(connection)
                await connection.close()
                return value
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            var redacted = error
            redacted.message = context.secrets.redact(error.message)
            throw redacted.faultError(action, advice: advice.isEmpty ? "redis-cli -u '\(url)' PING" : advice)
        }
    }

    /// Asks on a connection of its own, which is closed. Errors are of the phase `connect`: nothing of the caller's was sent.
    func ask(
        _ commands: [[String]], of url: RedisURL, _ secrets: SecretStore, until deadline: Instant
    ) async throws(RedisError) -> (values: [RedisValue], connection: RedisConnection) {
        do throws(RedisError) {
            let connection = try await connect(url, secrets, until: deadline)
            do throws(RedisError) {
                let values = try await connection.call(pipeline: commands, until: deadline).values
                await connection.close()
                return (values, connection)
            } catch {
                await connection.close()
                throw error
            }
        } catch {
            var failure = error
            (failure.phase, failure.commandSent) = (.connect, false)
            throw failure
        }
    }

    /// What preflight says of a node that does not answer; nil when it does. A node may be down on purpose.
    package func finding(
        on node: NamedValue<RedisURL>, probe: Label, in context: SystemContext
    ) async -> Finding? {
        let deadline = context.time.now + .seconds(5)
        do throws(FaultError) {
            _ = try await session(node.value, in: context, until: deadline, "node \(node.name) does not answer") {
                connection throws(RedisError) in
                try await connection.call(["PING"], until: deadline)
            }
            return nil
        } catch {
            return Finding(.warning, "probe \(probe): \(error.explained)", advice: error.advice)
        }
    }
}
