internal import Basics
internal import Contracts

/// Ends a call when its time is over, whatever it waits for: credentials, a connection, the next attempt.
///
/// - Parameter action: what was tried, for the error: `asking for cluster orders`.
func bounded<Value: Sendable>(
    _ limit: Span, _ time: any TimeSource, _ action: String,
    _ call: @escaping @Sendable () async throws(FaultError) -> Value
) async throws(FaultError) -> Value {
    let first = await withTaskGroup(of: Result<Value, FaultError>.self) { group in
        group.addTask {
            do throws(FaultError) {
                return .success(try await call())
            } catch {
                return .failure(error)
            }
        }
        group.addTask {
            do throws(CancellationError) {
                try await time.sleep(for: limit)
                return .failure(FaultError(.timeout, "\(action): no answer within \(limit)"))
            } catch {
                return .failure(FaultError(.cancelled, "\(action) was cancelled"))
            }
        }
        defer { group.cancelAll() }
        return await group.next()
    }
    guard let first else { throw FaultError(.cancelled, "\(action) was cancelled") }
    return try first.get()
}
