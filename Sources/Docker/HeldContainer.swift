internal import Basics
internal import Contracts
internal import Glibc

/// A container at one start of it: enough to find it again, and to tell it from a later start or a namesake.
package struct HeldContainer: Codable, Sendable, Hashable {
    package var id: String
    package var name: String
    /// The init process as the engine counts it.
    package var pid: Int32
    /// The init process's start in clock ticks since boot; nil when this machine cannot see the process.
    package var processStart: UInt64?
    /// The boot in which pid and start were read: after another one they name somebody else's process.
    package var bootID: String?
    /// The engine's text for the start, compared and never read as a time.
    package var startedAt: String

    package init(id: String, name: String, pid: Int32, processStart: UInt64?, bootID: String?, startedAt: String) {
        self.id = id
        self.name = name
        self.pid = pid
        self.processStart = processStart
        self.bootID = bootID
        self.startedAt = startedAt
    }

    /// The same container in the same start.
    func isSameStart(as details: ContainerDetails) -> Bool {
        details.id == id && details.startedAt == startedAt
    }
}

/// A container about to be faulted, as `prepare` found it.
struct PreparedContainer {
    var held: HeldContainer
    var details: ContainerDetails
    /// The init process, when this machine can see it.
    var process: (any HostProcess)?

    /// Looks the target up and refuses one that does not run, with the command that makes it run.
    static func running(
        _ target: Target, for kind: String, in context: SystemContext
    ) async throws(FaultError) -> PreparedContainer {
        guard let id = target.attributes[.containerID] else {
            throw FaultError(.notApplicable, "\(kind) needs a container; '\(target.name)' is none")
        }
        let engine = try context.services.require((any ContainerEngine).self)
        var details = try await engine.inspect(id)
        var process = visibleProcess(details, engine, context)
        if details.state == .running, process == nil, engine.mayBeLocal {
            // Out of our sight, or dead already and the engine does not know it yet: it learns of that in a moment.
            try await pause(.milliseconds(250), in: context)
            details = try await engine.inspect(id)
            process = visibleProcess(details, engine, context)
        }
        switch details.state {
        case .running: break
        case .paused:
            throw FaultError(
                .foreignState, "container \(details.name) is paused already, and not by this fault",
                advice: "docker unpause \(details.name)")
        case .created, .exited, .restarting, .removing, .dead, .other:
            throw FaultError(
                .notApplicable, "container \(details.name) does not run (\(details.state.text)), \(kind) needs it to",
                advice: "docker start \(details.name)")
        }
        let bootID = process == nil ? nil : try context.services.require((any Host).self).bootID
        let held = HeldContainer(
            id: details.id, name: details.name, pid: details.pid, processStart: process?.startTime, bootID: bootID,
            startedAt: details.startedAt)
        return PreparedContainer(held: held, details: details, process: process)
    }

    /// The engine removes such a container when it exits: there would be nothing left to start again.
    func refuseRemovalOnExit(_ kind: String) throws(FaultError) {
        guard details.isRemovedOnExit else { return }
        throw FaultError(
            .notApplicable,
            "container \(held.name) was started with --rm: the engine would remove it, and \(kind) could not be healed",
            advice: "start it without --rm, or use container.pause")
    }

    /// nil when the engine runs elsewhere, behind a virtual machine, or in another pid namespace.
    private static func visibleProcess(
        _ details: ContainerDetails, _ engine: any ContainerEngine, _ context: SystemContext
    ) -> (any HostProcess)? {
        guard engine.mayBeLocal, details.pid > 0 else { return nil }
        do {
            let groups = try context.services.require((any ControlGroups).self)
            guard try groups.contains(details.pid, container: details.id) else { return nil }
            let process = try context.services.require((any Host).self).process(details.pid)
            return try process.state() == "Z" ? nil : process
        } catch {
            // Not being able to look is the same as not seeing: the engine's own word is used then, and said so.
            return nil
        }
    }
}

extension HeldContainer {
    /// Takes hold of the init process again; nil when this machine never saw it. Throws when it is another one by now.
    func process(in context: SystemContext) throws(FaultError) -> (any HostProcess)? {
        guard let processStart else { return nil }
        let host = try context.services.require((any Host).self)
        do throws(SystemError) {
            if bootID == host.bootID {
                let process = try host.process(pid)
                if process.startTime == processStart { return process }
            }
        } catch {
            throw FaultError(.notApplicable, "container \(name) has ended since it was looked at", underlying: error)
        }
        throw FaultError(
            .notApplicable, "container \(name) was restarted since it was looked at", advice: "run it again")
    }

    /// Starts the container again if it is there and does not run. Gone, running or paused by somebody is healed.
    func startAgain(in context: SystemContext) async throws(FaultError) {
        let engine = try context.services.require((any ContainerEngine).self)
        guard let details = try await settled(engine, in: context) else { return }
        switch details.state {
        case .exited, .created, .dead: try await engine.start(id)
        case .running, .paused, .restarting, .removing, .other: return
        }
    }

    /// A container of ours that still does not run.
    func notRunning(kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let engine = try context.services.require((any ContainerEngine).self)
        guard let details = try await settled(engine, in: context) else { return nil }
        switch details.state {
        case .running, .paused, .restarting, .removing, .other: return nil
        case .created, .exited, .dead:
            let code = details.state == .exited ? ", exit code \(details.exitCode)" : ""
            return Leftover(
                kind: kind, target: name, description: "container \(name) is \(details.state.text)\(code)",
                commands: ["docker start \(name)"])
        }
    }

    /// The container as it is now, once the engine has noticed what the kernel knows already.
    ///
    /// An engine learns of an exit some milliseconds after it: until then a dead container passes for a running one, and
    /// a heal at that moment would start nothing.
    private func settled(
        _ engine: any ContainerEngine, in context: SystemContext
    ) async throws(FaultError) -> ContainerDetails? {
        let deadline = context.time.now + .seconds(10)
        while true {
            guard let details = try await present(engine) else { return nil }
            guard details.state == .running || details.state == .paused, isSameStart(as: details),
                try hasEnded(in: context)
            else { return details }
            // By then it is not the engine that is late: the pid is of another pid namespace than ours.
            guard context.time.now < deadline else { return details }
            try await pause(.milliseconds(10), in: context)
        }
    }

    /// Whether the init process that this machine saw has ended; false when it, in this boot, never saw it.
    private func hasEnded(in context: SystemContext) throws(FaultError) -> Bool {
        guard let processStart else { return false }
        let host = try context.services.require((any Host).self)
        guard bootID == host.bootID else { return false }
        do throws(SystemError) {
            let process = try host.process(pid)
            guard process.startTime == processStart, let state = try process.state() else { return true }
            return state == "Z" || state == "X"
        } catch {
            if error.errno == ESRCH { return true }
            throw FaultError(.unexpected, "pid \(pid) of container \(name) cannot be looked at", underlying: error)
        }
    }

    /// The container as it is now; nil when it is gone.
    func present(_ engine: any ContainerEngine) async throws(FaultError) -> ContainerDetails? {
        do throws(FaultError) {
            return try await engine.inspect(id)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }
}
