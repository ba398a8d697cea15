package import Basics
package import Contracts

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
}
