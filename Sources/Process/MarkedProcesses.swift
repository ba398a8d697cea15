internal import Basics
internal import Contracts
internal import Glibc

/// The processes that an inject command started, found by a variable of their environment that all of them inherit.
///
/// A controller that dies leaves its child running: without the mark nobody could tell it from any other process.
struct MarkedProcesses {
    static let variable = "SQUALL_CHANGE"

    let mark: String
    private let table: any ProcessTable

    init(_ mark: String, in context: SystemContext) throws(FaultError) {
        self.mark = mark
        table = try context.services.require((any ProcessTable).self)
    }

    /// Those that run now and are visible from here, in containers too.
    func find() throws(FaultError) -> [ProcessIdentity] {
        do throws(SystemError) {
            return try table.processes(withVariable: Self.variable, value: mark)
        } catch {
            throw FaultError(.unexpected, "the processes of an inject command cannot be listed", underlying: error)
        }
    }

    /// SIGKILL to each until none is left: one that forks meanwhile hands its mark on.
    func kill(in context: SystemContext) async throws(FaultError) {
        let deadline = context.time.now + .seconds(5)
        while true {
            let found = try find()
            if found.isEmpty { return }
            for identity in found { try kill(identity) }
            guard context.time.now < deadline, (try? await context.time.sleep(for: .milliseconds(10))) != nil else {
                throw FaultError(.timeout, "\(found.count) process(es) of the inject command do not end")
            }
        }
    }

    private func kill(_ identity: ProcessIdentity) throws(FaultError) {
        do throws(SystemError) {
            try table.process(identity)?.send(signal: SIGKILL)
        } catch {
            if error.errno == ESRCH { return }
            throw FaultError(.denied, "pid \(identity.pid) of the inject command cannot be ended", underlying: error)
        }
    }
}
