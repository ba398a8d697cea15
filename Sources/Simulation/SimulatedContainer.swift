internal import Basics
internal import Docker

/// One container as it really is, whatever the engine says.
struct SimulatedContainer: Sendable {
    let id: String
    let name: String
    var state = ContainerState.running
    var exists = true
    var pid: Int32
    /// Clock ticks since boot at which its init process started.
    var ticks: UInt64
    /// Counts its starts: the engine's text for one.
    var start = 1
    /// Its init process got SIGSTOP.
    var isStopped = false
    /// Marks of the rules that cut it off, oldest first.
    var rules: [String] = []
    /// A setting of the kernel, and nothing tells who changed it.
    var setting = 0
    var exitCode = 0
    /// The engine was told to end it, so that it is not started again at boot.
    var isEndedByEngine = false

    var hasProcess: Bool { exists && (state == .running || state == .paused) }
    var isFrozen: Bool { state == .paused || isStopped }

    var details: ContainerDetails {
        ContainerDetails(
            id: id, name: name, state: state, pid: hasProcess ? pid : 0, exitCode: exitCode, startedAt: "start \(start)"
        )
    }

    /// What differs from how the world began, in words; nil: nothing.
    var leftover: String? {
        guard exists else { return nil }
        if !rules.isEmpty { return "\(name) is cut off by \(rules.joined(separator: ", "))" }
        if setting != 0 { return "\(name) has setting \(setting)" }
        if state != .running { return "\(name) is \(state.text)" }
        return isStopped ? "\(name) is stopped by a signal" : nil
    }
}

/// One real change of a container: what an effect that is reported as confirmed must coincide with.
struct Transition: Sendable, Hashable {
    enum Change: String, Sendable, Hashable {
        case paused
        case unpaused
        case exited
        case started
        case stopped
        case continued
        case cut
        case uncut
        case set
        case removed
    }

    var change: Change
    var container: String
    var at: Instant
}
