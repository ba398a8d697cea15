internal import Basics
internal import Contracts
internal import Docker
internal import Synchronization

/// The machine of a world, as one process sees it.
struct SimulatedHost: Host {
    let caller: Caller
    let bootID: String
    let name = "simulated"
    let machine: String? = "simulated"

    func process(_ pid: Int32) throws(SystemError) -> any HostProcess {
        let ticks = caller.system.at { state in state.index(ofPid: pid).map { state.containers[$0].ticks } }
        guard let ticks else { throw SystemError("pidfd_open", errno: noSuchProcess, subject: "\(pid)") }
        return SimulatedInit(caller: caller, pid: pid, startTime: ticks)
    }
}

/// ESRCH
private let noSuchProcess: Int32 = 3

/// The init process of a container, held by what stands for a pidfd.
private final class SimulatedInit: HostProcess {
    let caller: Caller
    let pid: Int32
    let startTime: UInt64
    /// The last time at which it was seen alive.
    private let lastAlive: Mutex<Instant>

    init(caller: Caller, pid: Int32, startTime: UInt64) {
        self.caller = caller
        self.pid = pid
        self.startTime = startTime
        lastAlive = Mutex(caller.process.now)
    }

    private func isAlive() -> Bool {
        guard caller.system.at({ self.index($0) }) != nil else { return false }
        lastAlive.withLock { $0 = caller.process.now }
        return true
    }

    func send(signal number: Int32) throws(SystemError) {
        guard let signal = Signal(number: number) else { return }
        guard let effect = caller.process.mayActAtOnce() else { throw gone("kill") }
        _ = isAlive()
        let waits = caller.system.at { state -> [WaitToken]? in
            guard let index = index(state) else { return nil }
            if signal.number != 0, signal != .resume { state.requireIntent(.kill, on: state.containers[index].name) }
            return state.signal(index, signal, byEngine: false)
        }
        guard let waits else { throw gone("kill") }
        caller.system.wake(waits)
        _ = caller.process.livesOn(after: effect)
    }

    func waitForExit(until deadline: Instant) async throws(SystemError) -> InstantRange? {
        let process = caller.process
        guard isAlive() else { return InstantRange(lastAlive.withLock { $0 }, process.now) }
        let wake = await process.wait(until: deadline) { token in
            caller.system.at { state in
                if let index = index(state) { state.exitWaits[index, default: []].append(token) }
            }
        }
        switch wake {
        case .signalled: return InstantRange(lastAlive.withLock { $0 }, process.now)
        case .deadline: return nil
        case .cancelled: throw gone("wait")
        }
    }

    func state() throws(SystemError) -> Character? {
        caller.system.at { state in
            index(state).map { state.containers[$0].isStopped ? "T" : "S" }
        }
    }

    private func index(_ state: SystemState) -> Int? {
        state.index(ofPid: pid).flatMap { state.containers[$0].ticks == startTime ? $0 : nil }
    }

    private func gone(_ call: String) -> SystemError {
        SystemError(call, errno: noSuchProcess, subject: "\(pid)")
    }
}

/// What the kernel of a world says of control groups.
struct SimulatedControlGroups: ControlGroups {
    let system: SimulatedSystem

    func contains(_ pid: Int32, container id: String) throws(SystemError) -> Bool {
        system.at { state in state.index(ofPid: pid).map { state.containers[$0].id == id } ?? false }
    }

    func freezer(of pid: Int32) throws(SystemError) -> FreezerState? {
        system.at { state in
            state.index(ofPid: pid).map { state.containers[$0].state == .paused ? .frozen : .thawed }
        }
    }
}
