package import Basics
package import Contracts
package import Experiment
internal import Glibc

/// Sends a signal to a container's init process, SIGKILL by default: the crash of a machine, as its clients see it.
package struct ContainerKillFault: Fault {
    /// Who delivers the signal.
    package enum Route: String, Codable, Sendable, Hashable, CaseIterable {
        case engine
        case pidfd
    }

    package struct Undo: Codable, Sendable, Hashable {
        package var container: HeldContainer
        package var signal: Signal
        package var route: Route
    }

    package static let kind = "container.kill"
    package static let requires: Set<Target.Attribute> = [.containerID]

    private static let signal = Parameter<Signal>.defaulted(
        "signal", .signal, to: .kill, written: "SIGKILL", "what to send to the container's init process")
    private static let via = Parameter<Route?>.optional(
        "via", .choice(.pidfd),
        "pidfd sends straight to the init process, engine asks the Docker engine; default: pidfd where it can work")
    private static let within = Parameter<Span>.defaulted(
        "within", .span, to: .seconds(10), written: "10s", "how long to wait for the effect")
    package static let parameters: [any AnyParameter] = [signal, via, within]

    package let signal: Signal
    package let via: Route?
    package let within: Span

    package init(from reader: inout ParameterReader) {
        signal = reader.value(Self.signal)
        via = reader.value(Self.via)
        within = reader.value(Self.within)
    }

    package func plan(for target: Target) -> PlannedOperation {
        let route =
            switch via {
            case .engine: "through the engine"
            case .pidfd: "through a pidfd"
            case nil: "through a pidfd where its process is visible here, else through the engine"
            }
        return PlannedOperation(
            operation: "send \(signal) to the init process of container \(target.name) \(route)",
            undo: signal.stopsByDefault ? "send SIGCONT to the same process" : "start the container if it does not run",
            privileges: ["the Docker engine", "for a pidfd: the process's user, or root (CAP_KILL)"])
    }

    // MARK: Prepare

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let prepared = try await PreparedContainer.running(target, for: Self.kind, in: context)
        if signal.stopsByDefault {
            try refuseStopped(prepared)
        } else {
            try prepared.refuseRemovalOnExit(Self.kind)
        }
        return Undo(container: prepared.held, signal: signal, route: try route(prepared))
    }

    /// One that stands still already would show an effect that is not this fault's, and be continued by its heal.
    private func refuseStopped(_ prepared: PreparedContainer) throws(FaultError) {
        guard let process = prepared.process, try Self.isStopped(process) else { return }
        throw FaultError(
            .foreignState, "container \(prepared.held.name) is stopped by a signal already, and not by this fault",
            advice: "docker kill --signal SIGCONT \(prepared.held.name)")
    }

    private func route(_ prepared: PreparedContainer) throws(FaultError) -> Route {
        if via == .engine { return .engine }
        guard let process = prepared.process else {
            guard via == .pidfd else { return .engine }
            throw FaultError(
                .notApplicable,
                "the init process of container \(prepared.held.name) is not visible on this machine",
                advice: "use via: engine")
        }
        do throws(SystemError) {
            // Signal 0 asks for the permission alone.
            try process.send(signal: 0)
            return .pidfd
        } catch {
            guard via == .pidfd else { return .engine }
            throw FaultError(
                .denied, "may not signal pid \(process.pid) of container \(prepared.held.name)",
                advice: "run as root, or use via: engine", underlying: error)
        }
    }

    // MARK: Inject

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let sent = context.time.now
        let deadline = sent + within
        guard let process = try undo.container.process(in: context) else {
            try await deliver(undo, nil, context)
            return try await remoteEffect(undo, sent: sent, deadline, context)
        }
        if signal.stopsByDefault {
            try await deliver(undo, process, context)
            return try await stopEffect(process, sent: sent, deadline, context)
        }
        let ended = try await exit(of: process, until: deadline, in: context) { () throws(FaultError) in
            try await deliver(undo, process, context)
        }
        guard let ended else {
            return .unproven(
                "\(signal) was sent to pid \(process.pid) of container \(undo.container.name), which lives on after "
                    + "\(within); a container's init process ignores signals that it does not handle")
        }
        return .confirmed(
            ended, evidence: "pid \(process.pid), init of container \(undo.container.name), exited (pidfd)")
    }

    private func deliver(
        _ undo: Undo, _ process: (any HostProcess)?, _ context: SystemContext
    ) async throws(FaultError) {
        guard undo.route == .pidfd, let process else {
            try await context.services.require((any ContainerEngine).self).kill(undo.container.id, signal: signal)
            return
        }
        do throws(SystemError) {
            try process.send(signal: signal.number)
        } catch {
            let code: FaultError.Code = error.errno == EPERM ? .denied : .notApplicable
            throw FaultError(
                code, "\(signal) could not be sent to container \(undo.container.name)", underlying: error)
        }
    }

    /// A stopped process shows state T; the other processes of the container run on.
    private func stopEffect(
        _ process: any HostProcess, sent: Instant, _ deadline: Instant, _ context: SystemContext
    ) async throws(FaultError) -> Effect {
        while true {
            let state: Character?
            do throws(SystemError) {
                state = try process.state()
            } catch {
                throw FaultError(.unexpected, "the state of pid \(process.pid) cannot be read", underlying: error)
            }
            let seen = context.time.now
            if state == "T" {
                return .confirmed(InstantRange(sent, seen), evidence: "pid \(process.pid) is stopped (state T)")
            }
            guard seen < deadline else {
                return .unproven("\(signal) was sent, pid \(process.pid) is not stopped (state \(state ?? "-"))")
            }
            try await pause(.milliseconds(2), in: context)
        }
    }

    private func remoteEffect(
        _ undo: Undo, sent: Instant, _ deadline: Instant, _ context: SystemContext
    ) async throws(FaultError) -> Effect {
        guard !signal.stopsByDefault else {
            return .unproven("\(signal) was sent; the process is not visible here, so its state cannot be read back")
        }
        guard let details = try await stopped(undo.container, until: deadline, in: context) else {
            return .unproven("\(signal) was sent; the engine says that container \(undo.container.name) still runs")
        }
        return .confirmed(
            InstantRange(sent, context.time.now),
            evidence: "the engine reports container \(undo.container.name) as \(details.state.text)")
    }

    // MARK: Heal

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        if undo.signal.stopsByDefault { try await resume(undo, in: context) }
        try await undo.container.startAgain(in: context)
    }

    /// SIGCONT to exactly the process that was stopped, also when it does not show the stop: the signal may be on its
    /// way still, and to one that runs SIGCONT does no harm.
    private static func resume(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        let engine = try context.services.require((any ContainerEngine).self)
        guard let process = try sameProcess(undo, in: context) else {
            // Not visible here, so the engine is asked to send it.
            guard undo.container.processStart == nil, let details = try await undo.container.present(engine),
                undo.container.isSameStart(as: details)
            else { return }
            switch details.state {
            case .running: return try await engine.kill(undo.container.id, signal: .resume)
            case .paused:
                // The engine would thaw it for the signal, and with that end a fault that is not this one.
                throw FaultError(
                    .notApplicable,
                    "container \(undo.container.name) is paused and cannot be continued before it is not",
                    advice: "docker unpause \(undo.container.name)")
            case .created, .restarting, .removing, .exited, .dead, .other: return
            }
        }
        do throws(SystemError) {
            try process.send(signal: SIGCONT)
        } catch {
            if error.errno == ESRCH { return }
            guard error.errno == EPERM else {
                throw FaultError(
                    .unexpected, "container \(undo.container.name) could not be continued", underlying: error)
            }
            try await engine.kill(undo.container.id, signal: .resume)
        }
    }

    /// The same process in the same boot; nil when it is gone, or was never visible here.
    private static func sameProcess(
        _ undo: Undo, in context: SystemContext
    ) throws(FaultError) -> (any HostProcess)? {
        let host = try context.services.require((any Host).self)
        guard let start = undo.container.processStart, undo.container.bootID == host.bootID else { return nil }
        do throws(SystemError) {
            let process = try host.process(undo.container.pid)
            return process.startTime == start ? process : nil
        } catch {
            if error.errno == ESRCH { return nil }
            throw FaultError(.unexpected, "pid \(undo.container.pid) cannot be looked at", underlying: error)
        }
    }

    private static func isStopped(_ process: any HostProcess) throws(FaultError) -> Bool {
        do throws(SystemError) {
            return try process.state() == "T"
        } catch {
            throw FaultError(.unexpected, "the state of pid \(process.pid) cannot be read", underlying: error)
        }
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        if undo.signal.stopsByDefault, let process = try sameProcess(undo, in: context), try isStopped(process) {
            return Leftover(
                kind: kind, target: undo.container.name, description: "pid \(process.pid) is still stopped",
                commands: manualHeal(undo))
        }
        return try await undo.container.notRunning(kind: kind, in: context)
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        undo.signal.stopsByDefault
            ? ["docker kill --signal SIGCONT \(undo.container.name)"] : ["docker start \(undo.container.name)"]
    }

    package static let manual = Manual(
        summary: "Send a signal to a container's init process, SIGKILL by default",
        details: """
            Through a pidfd the signal reaches the process at once and no engine is involved, as when a machine crashes;
            through the engine it is what `docker kill` does. The effect is the exit of the init process, seen through a
            pidfd that is open before the signal is sent; where the process is not visible, what the engine reports.
            A signal that stops (SIGSTOP) is read back as process state T, of the init process alone: to freeze a whole
            container use container.pause. A signal that neither ends nor stops the process is unproven.

            Heal starts the container if it exists and does not run; one that somebody started already, or removed, is
            healed. A restart policy may start it before the heal does: with via: pidfd the engine sees a crash and
            applies the policy, with via: engine it does not. Containers started with --rm are refused.
            """,
        example: """
            method:
              - {name: kill, fault: container.kill, target: primary}
              - {name: ask, fault: container.kill, target: web, signal: SIGTERM, via: engine}
            """)
}
