package import Basics
package import Contracts
package import Experiment
internal import Glibc

/// Sends a signal to named processes: freeze an agent while the server it guards runs on, or kill one of many.
package struct ProcessSignalFault: Fault {
    /// The processes themselves, each named for good, so that SIGCONT can never reach another one.
    package struct Undo: Codable, Sendable, Hashable {
        package struct Held: Codable, Sendable, Hashable {
            package var identity: ProcessIdentity
            package var name: String
        }

        package var target: String
        package var signal: Signal
        package var processes: [Held]
    }

    package static let kind = "process.signal"
    package static let requires: Set<Target.Attribute> = [.containerID]
    package static let targeting = Targeting.optional

    private static let process = Parameter<String>.required(
        "process", .text, "the process's name as ps shows it, or the script that an interpreter runs")
    private static let signal = Parameter<Signal>.required("signal", .signal, "what to send: SIGSTOP, SIGKILL, …")
    private static let expect = Parameter<Int?>.optional(
        "expect", .integer(1...100_000), "refuse unless exactly so many processes have this name")
    private static let within = Parameter<Span>.defaulted(
        "within", .span, to: .seconds(10), written: "10s", "how long to wait for the effect")
    package static let parameters: [any AnyParameter] = [process, signal, expect, within]

    package let process: ProcessName
    package let signal: Signal
    package let expect: Int?
    package let within: Span

    package init(from reader: inout ParameterReader) {
        process = ProcessName(reader.value(Self.process))
        signal = reader.value(Self.signal)
        expect = reader.value(Self.expect)
        within = reader.value(Self.within)
    }

    package var persistence: Persistence { signal.stopsByDefault ? .untilHealed : .forGood }

    package func plan(for target: Target) -> PlannedOperation {
        let place = target == .localHost ? "on this machine" : "in \(target.name)"
        let count = expect.map { "exactly \($0)" } ?? "all"
        return PlannedOperation(
            operation: "send \(signal) to \(count) processes named '\(process.text)' \(place)", undo: undoText,
            privileges: ["the target's user, or root (CAP_KILL, CAP_SYS_PTRACE)"])
    }

    private var undoText: String {
        switch signal {
        case _ where signal.stopsByDefault: "send SIGCONT to exactly these processes (pid and start time)"
        case .kill: "none: a killed process cannot be brought back by us; its supervisor restarts it"
        default: "none: a signal cannot be taken back"
        }
    }

    // MARK: Prepare

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let table = try context.services.require((any ProcessTable).self)
        let container = target.attributes[.containerID]
        let found = try failing("list processes", on: target.name) { () throws(SystemError) in
            try table.processes(named: process, inContainer: container)
        }
        try refuseWrongCount(found, target)
        if container == nil { try refuseOurselves(found, table) }
        for entry in found { try check(entry, table, target) }
        return Undo(
            target: target.name, signal: signal, processes: found.map { .init(identity: $0.identity, name: $0.name) })
    }

    private func refuseWrongCount(_ found: [ProcessEntry], _ target: Target) throws(FaultError) {
        let list = "list them: ps -eo pid,comm,args"
        guard !found.isEmpty else {
            throw FaultError(
                .notFound, "no process named '\(process.text)' runs on \(target.name), as far as this machine shows",
                advice: list)
        }
        guard let expect, found.count != expect else { return }
        let pids = found.map { String($0.identity.pid) }.joined(separator: ", ")
        throw FaultError(
            .notApplicable,
            "\(found.count) processes named '\(process.text)' run on \(target.name) (pids \(pids)), expected \(expect)",
            advice: list)
    }

    private func refuseOurselves(_ found: [ProcessEntry], _ table: any ProcessTable) throws(FaultError) {
        let line = try failing("find our own ancestry", on: "this machine") { () throws(SystemError) in
            try table.ancestry()
        }
        guard let hit = found.first(where: { $0.identity.pid == 1 || line.contains($0.identity.pid) }) else { return }
        throw FaultError(
            .notApplicable,
            "'\(process.text)' is pid \(hit.identity.pid), which is the first process or runs squall itself",
            advice: "name a process that neither is pid 1 nor started squall")
    }

    /// What can be known before the signal: that we may send it, and that it can have an effect.
    private func check(_ entry: ProcessEntry, _ table: any ProcessTable, _ target: Target) throws(FaultError) {
        let (name, pid) = (entry.name, entry.identity.pid)
        if entry.ignoredSignals.holds(signal) {
            throw FaultError(.notApplicable, "\(name) (pid \(pid)) on \(target.name) ignores \(signal)")
        }
        let states = try failing("look at pid \(pid)", on: target.name) { () throws(SystemError) in
            let process = try table.process(entry.identity)
            try process?.send(signal: 0)
            return try table.threadStates(of: entry.identity)
        }
        if signal.stopsByDefault, states.contains("T") {
            throw FaultError(
                .foreignState, "\(name) (pid \(pid)) on \(target.name) is already stopped, and not by us",
                advice: "continue it first: kill -CONT \(pid)")
        }
    }
}
