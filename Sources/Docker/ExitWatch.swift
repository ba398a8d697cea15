internal import Basics
internal import Contracts

/// Runs `action` while the process is watched; returns when it ended, or nil when it lived on to the deadline.
///
/// The pidfd is open before the action starts, so that neither a fast exit nor a recycled pid can be missed. With a
/// `grace` the watch ends so long after the action: an engine that says "stopped" has seen the exit already.
func exit(
    of process: any HostProcess, until deadline: Instant, grace: Span? = nil, in context: SystemContext,
    during action: () async throws(FaultError) -> Void
) async throws(FaultError) -> InstantRange? {
    let watched = await withTaskGroup(of: Result<InstantRange?, FaultError>.self) { group in
        defer { group.cancelAll() }
        group.addTask { await watch(process, deadline) }
        do throws(FaultError) {
            try await action()
        } catch {
            return Result<InstantRange?, FaultError>.failure(error)
        }
        if let grace {
            group.addTask {
                do throws(FaultError) {
                    try await pause(grace, in: context)
                    return .success(nil)
                } catch {
                    return .failure(error)
                }
            }
        }
        return await group.next() ?? .success(nil)
    }
    return try watched.get()
}

/// A typed result, because a task group would forget the error's type.
private func watch(_ process: any HostProcess, _ deadline: Instant) async -> Result<InstantRange?, FaultError> {
    do throws(SystemError) {
        return .success(try await process.waitForExit(until: deadline))
    } catch {
        return .failure(
            FaultError(.unexpected, "the exit of pid \(process.pid) could not be watched", underlying: error))
    }
}

/// Asks the engine until the container's init has ended, for containers whose processes this machine cannot see.
///
/// Returns the state that was seen, or nil when it still runs at the deadline.
func stopped(
    _ container: HeldContainer, until deadline: Instant, in context: SystemContext
) async throws(FaultError) -> ContainerDetails? {
    let engine = try context.services.require((any ContainerEngine).self)
    while true {
        let details = try await engine.inspect(container.id)
        if details.state != .running || !container.isSameStart(as: details) { return details }
        guard context.time.now < deadline else { return nil }
        try await pause(.milliseconds(20), in: context)
    }
}

/// Sleeps; a cancelled task is an error of the fault.
func pause(_ span: Span, in context: SystemContext) async throws(FaultError) {
    do throws(CancellationError) {
        try await context.time.sleep(until: context.time.now + span)
    } catch {
        throw FaultError(.cancelled, "cancelled while waiting for an effect")
    }
}
