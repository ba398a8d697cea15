package import Basics
package import Contracts
package import Experiment

extension PostgresClient {
    /// Opens a connection for a few statements and closes it again, also after an error.
    ///
    /// Errors come out as faults and probes report them: `action` says what failed on which target, `advice` is the
    /// next command to type.
    package func session<Value: Sendable>(
        _ dsn: DSN, in context: SystemContext, until deadline: Instant, _ action: String, advice: String = "",
        _ body: (PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(FaultError) -> Value {
        do throws(PostgresError) {
            let connection = try await connect(dsn, context.secrets, until: deadline)
            do throws(PostgresError) {
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
            throw redacted.faultError(action, advice: advice.isEmpty ? "psql '\(dsn)' -c 'SELECT 1'" : advice)
        }
    }

    /// What preflight says of a node that does not answer; nil when it does. A node may be down on purpose.
    package func finding(
        on node: NamedValue<NodeAddress>, probe: Label, in context: SystemContext
    ) async -> Finding? {
        let deadline = context.time.now + .seconds(5)
        do throws(FaultError) {
            _ = try await session(node.value.dsn, in: context, until: deadline, "node \(node.name) does not answer") {
                connection throws(PostgresError) in
                try await connection.query("SELECT 1", until: deadline)
            }
            return nil
        } catch {
            return Finding(.warning, "probe \(probe): \(error.explained)", advice: error.advice)
        }
    }
}
