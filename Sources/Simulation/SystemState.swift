internal import Basics
internal import Contracts
internal import Docker

/// The machine under test with its cluster: the truth of a world.
struct SystemState: Sendable {
    var now: Instant
    var containers: [SimulatedContainer]
    var cluster: SimulatedCluster
    var weather: Weather
    var transitions: [Transition] = []
    var boot = 1
    /// Schemas that probes created.
    var schemas: Set<String> = []
    /// Waits for the end of an init process, by container.
    var exitWaits: [Int: [WaitToken]] = [:]
    /// Whether the journal on disk holds an open intent for a target of this name.
    var isJournalled: @Sendable (String) -> Bool = { _ in true }
    /// What no run may do; empty in a good one.
    var violations: [String] = []
    private var lastPid: Int32 = 100

    init(nodes: [Label], others: [String], character: SimulatedCluster.Character, weather: Weather, at now: Instant) {
        self.now = now
        self.weather = weather
        cluster = SimulatedCluster(nodes, character, at: now)
        containers = (nodes.map(\.text) + others).enumerated().map { index, name in
            SimulatedContainer(id: "id-\(name)", name: name, pid: Int32(index + 1), ticks: UInt64(index + 1))
        }
    }

    func index(of container: String) -> Int? {
        containers.firstIndex { ($0.id == container || $0.name == container) && $0.exists }
    }

    func index(ofPid pid: Int32) -> Int? {
        containers.firstIndex { $0.pid == pid && $0.hasProcess }
    }

    /// All that is not as it was when the world began.
    var leftovers: [String] { containers.compactMap(\.leftover) + schemas.sorted().map { "schema \($0)" } }

    // MARK: Changes

    mutating func advance(to instant: Instant) {
        now = max(now, instant)
        cluster.advance(to: now)
    }

    private mutating func note(_ change: Transition.Change, _ index: Int) {
        transitions.append(Transition(change: change, container: containers[index].name, at: now))
        guard index < cluster.nodes.count else { return }
        let container = containers[index]
        cluster.update(
            index, isAlive: container.hasProcess, isFrozen: container.isFrozen, isCut: !container.rules.isEmpty)
    }

    /// nil: done; else why the engine refuses.
    mutating func pause(_ index: Int) -> FaultError? {
        guard containers[index].state == .running else { return wrongState(index, "pause") }
        containers[index].state = .paused
        note(.paused, index)
        return nil
    }

    mutating func unpause(_ index: Int) -> FaultError? {
        guard containers[index].state == .paused else { return wrongState(index, "unpause") }
        containers[index].state = .running
        note(.unpaused, index)
        return nil
    }

    /// Ends the init process; those who wait for it are returned.
    mutating func exit(_ index: Int, code: Int, byEngine: Bool) -> [WaitToken] {
        guard containers[index].hasProcess else { return [] }
        containers[index].state = .exited
        containers[index].isStopped = false
        containers[index].exitCode = code
        containers[index].isEndedByEngine = byEngine
        // The namespace is gone with its last process, and all that was set in it.
        containers[index].rules = []
        containers[index].setting = 0
        note(.exited, index)
        return exitWaits.removeValue(forKey: index) ?? []
    }

    mutating func start(_ index: Int) -> FaultError? {
        if containers[index].state == .paused { return wrongState(index, "start") }
        guard containers[index].state != .running else { return nil }
        lastPid += 1
        containers[index].state = .running
        containers[index].pid = lastPid
        containers[index].ticks = UInt64(now.nanoseconds / 10_000_000)
        containers[index].start += 1
        containers[index].exitCode = 0
        note(.started, index)
        return nil
    }

    mutating func signal(_ index: Int, _ signal: Signal, byEngine: Bool) -> [WaitToken] {
        if signal == .kill || signal == .terminate {
            return exit(index, code: 128 + Int(signal.number), byEngine: byEngine)
        }
        if signal == .stop, !containers[index].isStopped {
            containers[index].isStopped = true
            note(.stopped, index)
        }
        if signal == .resume, containers[index].isStopped {
            containers[index].isStopped = false
            note(.continued, index)
        }
        return []
    }

    mutating func addRule(_ mark: String, to index: Int) {
        guard !containers[index].rules.contains(mark) else { return }
        containers[index].rules.append(mark)
        note(.cut, index)
    }

    mutating func removeRule(_ mark: String, from index: Int) {
        guard containers[index].rules.contains(mark) else { return }
        containers[index].rules.removeAll { $0 == mark }
        note(.uncut, index)
    }

    mutating func set(_ value: Int, on index: Int) {
        containers[index].setting = value
        note(.set, index)
    }

    mutating func remove(_ index: Int) -> [WaitToken] {
        let waits = exit(index, code: 137, byEngine: true)
        containers[index].exists = false
        note(.removed, index)
        return waits
    }

    /// Power off and on: processes and kernel state are gone; the engine starts again what it did not end itself.
    mutating func reboot() {
        boot += 1
        exitWaits = [:]
        for index in containers.indices where containers[index].exists {
            let stays = containers[index].state == .exited && containers[index].isEndedByEngine
            _ = exit(index, code: 255, byEngine: stays)
            if !stays { _ = start(index) }
        }
    }

    /// The journal's law: the undo is on disk before the system is touched.
    mutating func requireIntent(_ verb: Weather.Verb, on target: String) {
        let name = containers.first { $0.id == target }?.name ?? target
        if !isJournalled(name) { violations.append("\(verb.rawValue) on \(name) without an undo on disk") }
    }

    private func wrongState(_ index: Int, _ verb: String) -> FaultError {
        FaultError(.notApplicable, "cannot \(verb) \(containers[index].name): it is \(containers[index].state.text)")
    }
}
