internal import Basics
package import Contracts
internal import Synchronization

extension CommandRunFault {
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        // An inject command that still runs would go on breaking things behind its undo.
        try await MarkedProcesses(undo.id, in: context).kill(in: context)
        guard let arguments = undo.undo else { return }
        let command = Command(
            arguments, environment: undo.environment, directory: undo.directory, cancellation: .ignored)
        let result: CommandResult
        do throws(FaultError) {
            result = try await undo.place.run(command, until: context.time.now + undo.timeout, in: context)
        } catch {
            // What ran in a container that is gone is gone with it; on this machine a missing program heals nothing.
            if error.code == .notFound, try await undo.place.isGone(in: context) {
                note(healed: undo)
                return
            }
            throw error
        }
        guard result.exitCode == 0 else { throw failure(of: arguments, result, on: undo.target, in: context) }
        note(healed: undo)
    }

    /// With `check-clean`, its exit code decides. Without it nothing can be read back: the change counts as gone only
    /// when its undo has exited with 0 in this process, so `squall leftovers` in another one shows it until it is healed.
    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        let running = try MarkedProcesses(undo.id, in: context).find()
        if !running.isEmpty {
            let pids = running.map { "\($0.pid)" }.joined(separator: " ")
            return Leftover(
                kind: kind, target: undo.target, description: "the inject command still runs (pid \(pids))",
                commands: ["kill -KILL \(pids)"] + manualHeal(undo))
        }
        guard undo.undo != nil || undo.checkClean != nil else { return nil }
        guard let check = undo.checkClean else {
            if healed.withLock({ $0.contains(undo.id) }) { return nil }
            return leftover(undo, "cannot be read back without 'check-clean', and its undo has not succeeded yet")
        }
        let command = Command(check, environment: undo.environment, directory: undo.directory, cancellation: .ignored)
        do throws(FaultError) {
            let result = try await undo.place.run(command, until: context.time.now + undo.timeout, in: context)
            if result.exitCode == 0 { return nil }
            return leftover(undo, failure(of: check, result, on: undo.target, in: context).message)
        } catch {
            if error.code == .notFound, try await undo.place.isGone(in: context) { return nil }
            throw error
        }
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        guard let arguments = undo.undo else { return [] }
        let variables = undo.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let command = quoted(variables.isEmpty ? arguments : ["env"] + variables + arguments)
        return switch undo.place {
        case .host: [undo.directory.map { "cd \(quoted([$0])) && \(command)" } ?? command]
        case .container(let name): ["docker exec \(quoted([name])) \(command)"]
        }
    }

    private static func leftover(_ undo: Undo, _ description: String) -> Leftover {
        Leftover(kind: kind, target: undo.target, description: description, commands: manualHeal(undo))
    }

    private static func note(healed undo: Undo) {
        healed.withLock { _ = $0.insert(undo.id) }
    }
}

/// The changes whose undo has exited with 0 in this process; `heal` and `leftover` are static and share nothing else.
private let healed = Mutex(Set<String>())
