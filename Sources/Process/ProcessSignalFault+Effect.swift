internal import Basics
package import Contracts
internal import Glibc

extension ProcessSignalFault {
    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let table = try context.services.require((any ProcessTable).self)
        // All are held before the first is touched: a signal must not reach half of them because of a pid that is gone.
        var held: [any HostProcess] = []
        for process in undo.processes { held.append(try hold(process, table, undo.target)) }
        let before = context.time.now
        for process in held {
            try failing("send \(signal) to pid \(process.pid)", on: undo.target) { () throws(SystemError) in
                try process.send(signal: signal.number)
            }
        }
        let deadline = context.time.now + within
        return signal.stopsByDefault
            ? try await confirmStop(undo, since: before, until: deadline, table, context)
            : try await confirmExit(held, undo, until: deadline)
    }

    private func hold(
        _ process: Undo.Held, _ table: any ProcessTable, _ target: String
    ) throws(FaultError) -> any HostProcess {
        let pid = process.identity.pid
        let held = try failing("take hold of pid \(pid)", on: target) { () throws(SystemError) in
            try table.process(process.identity)
        }
        guard let held else {
            throw FaultError(.notFound, "\(process.name) (pid \(pid)) on \(target) ended before \(signal) was sent")
        }
        return held
    }

    /// A group stop is complete when every thread has come to rest, not when kill(2) returns.
    private func confirmStop(
        _ undo: Undo, since: Instant, until deadline: Instant, _ table: any ProcessTable, _ context: SystemContext
    ) async throws(FaultError) -> Effect {
        while true {
            let states = try failing("read back the state", on: undo.target) { () throws(SystemError) in
                var all: [[Character]] = []
                for process in undo.processes { all.append(try table.threadStates(of: process.identity)) }
                return all
            }
            let now = context.time.now
            if states.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0 == "T" } }) {
                let threads = states.reduce(0) { $0 + $1.count }
                return .confirmed(
                    InstantRange(since, now), evidence: "\(undo.list): \(threads) threads in state T (stopped)")
            }
            guard now < deadline else {
                let letters = states.map { $0.isEmpty ? "gone" : String($0) }.joined(separator: ", ")
                return .unproven(
                    "\(signal) was sent, but after \(within) the threads of \(undo.list) are in: \(letters)")
            }
            do throws(CancellationError) {
                try await context.time.sleep(until: min(deadline, now + .milliseconds(1)))
            } catch {
                throw FaultError(.cancelled, "cancelled while \(undo.list) on \(undo.target) came to rest")
            }
        }
    }

    private func confirmExit(
        _ held: [any HostProcess], _ undo: Undo, until deadline: Instant
    ) async throws(FaultError) -> Effect {
        var effect: InstantRange?
        for process in held {
            let exit: InstantRange?
            do throws(SystemError) {
                exit = try await process.waitForExit(until: deadline)
            } catch {
                throw FaultError("wait for the exit of pid \(process.pid)", on: undo.target, error)
            }
            guard let exit else {
                return .unproven(
                    "\(signal) was sent, but pid \(process.pid) on \(undo.target) still runs after \(within)")
            }
            effect = effect.map { InstantRange(min($0.lower, exit.lower), max($0.upper, exit.upper)) } ?? exit
        }
        guard let effect else { return .unproven("no process was signalled") }
        return .confirmed(effect, evidence: "\(undo.list): exit seen through a pidfd")
    }

    // MARK: Heal

    /// Continues what was stopped; other signals leave nothing that could be undone.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        guard undo.signal.stopsByDefault else { return }
        let table = try context.services.require((any ProcessTable).self)
        for process in undo.processes {
            try failing("send SIGCONT to pid \(process.identity.pid)", on: undo.target) { () throws(SystemError) in
                do throws(SystemError) {
                    try table.process(process.identity)?.send(signal: SIGCONT)
                } catch {
                    // Ended in between: nothing is left to continue.
                    if error.errno != ESRCH { throw error }
                }
            }
        }
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard undo.signal.stopsByDefault else { return nil }
        let table = try context.services.require((any ProcessTable).self)
        var stopped: [Undo.Held] = []
        for process in undo.processes {
            let states = try failing("read back the state", on: undo.target) { () throws(SystemError) in
                try table.threadStates(of: process.identity)
            }
            if states.contains("T") { stopped.append(process) }
        }
        guard !stopped.isEmpty else { return nil }
        let rest = Undo(target: undo.target, signal: undo.signal, processes: stopped)
        return Leftover(
            kind: kind, target: undo.target, description: "\(rest.list) on \(undo.target) still stopped",
            commands: manualHeal(rest))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        guard undo.signal.stopsByDefault else { return [] }
        return ["kill -CONT " + undo.processes.map { String($0.identity.pid) }.joined(separator: " ")]
    }
}

extension ProcessSignalFault.Undo {
    /// `patroni (pid 12), patroni (pid 19)`
    var list: String { processes.map { "\($0.name) (pid \($0.identity.pid))" }.joined(separator: ", ") }
}
