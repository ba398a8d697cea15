internal import Basics
internal import Contracts
internal import Experiment

/// What a file says about a cut: which packets, which way, and how one group is divided. Shared by the faults that cut.
package struct PartitionSettings: Sendable, Hashable {
    private static let direction = Parameter<BlockDirection>.defaulted(
        "direction", .choice(.both), to: .both, written: "both",
        "which way nothing passes: both, to (from a to b) or from (from b to a)")
    private static let mode = Parameter<BlockMode>.defaulted(
        "mode", .choice(.drop), to: .drop, written: "drop",
        "drop: packets are lost; reject-tcp: TCP is reset, the rest lost; reject-icmp: answered as prohibited")
    private static let protocols = Parameter<[Traffic.TransportProtocol]>.defaulted(
        "protocols", .list(.choice(.tcp)), to: [], written: "all", "only these: tcp, udp, icmp")
    private static let ports = Parameter<[PortRange]>.defaulted(
        "ports", .list(.portRange), to: [], written: "all",
        "only packets that go to or come from these TCP and UDP ports")
    private static let topology = Parameter<Topology?>.optional(
        "topology", .choice(.halves), "how the group that target names is divided; with between, leave it out")
    private static let seed = Parameter<Int?>.optional(
        "seed", .integer(0...Int.max), "which node is on which side; default: drawn, and written into the evidence")
    private static let force = Parameter<Bool>.defaulted(
        "force", .boolean, to: false, written: "false",
        "cut even an address by which squall itself reaches the engine or is reached over SSH")
    private static let killEstablished = Parameter<Bool>.defaulted(
        "kill-established", .boolean, to: false, written: "false",
        "end TCP connections between the two sides first, so that both ends learn of it at once")
    static let parameters: [any AnyParameter] = [
        direction, mode, protocols, ports, topology, seed, killEstablished, force,
    ]
    /// The key of what divides one group.
    static let division = topology.key

    /// Each range is two rules per protocol and version; whoever needs more wants a block without ports.
    private static let mostRanges = 16

    package let direction: BlockDirection
    package let mode: BlockMode
    package let traffic: Traffic
    /// nil: the sides are named.
    package let topology: Topology?
    package let seed: UInt64?
    package let killsEstablished: Bool
    package let isForced: Bool

    init(from reader: inout ParameterReader) {
        direction = reader.value(Self.direction)
        mode = reader.value(Self.mode)
        traffic = Traffic(protocols: reader.value(Self.protocols), ports: reader.value(Self.ports))
        topology = reader.value(Self.topology)
        seed = reader.value(Self.seed).map { UInt64($0) }
        killsEstablished = reader.value(Self.killEstablished)
        isForced = reader.value(Self.force)
        check(&reader)
    }

    private func check(_ reader: inout ParameterReader) {
        if !traffic.ports.isEmpty, traffic.protocols.contains(.icmp) {
            reader.diagnostics.error("ICMP has no ports", at: reader.location(of: Self.protocols.key))
        }
        if traffic.ports.count > Self.mostRanges {
            reader.diagnostics.error(
                "at most \(Self.mostRanges) ports or ranges", at: reader.location(of: Self.ports.key),
                notes: ["join neighbours to a range, or leave ports out"])
        }
        if mode == .rejectTCP, !traffic.includes(.tcp) {
            reader.diagnostics.error(
                "reject-tcp resets TCP connections, and protocols leaves TCP out",
                at: reader.location(of: Self.mode.key))
        }
        if killsEstablished, !traffic.includes(.tcp) {
            reader.diagnostics.error(
                "kill-established ends TCP connections, and protocols leaves TCP out",
                at: reader.location(of: Self.killEstablished.key))
        }
        if let topology, direction != .both, !topology.hasSides || topology == .oneWay {
            let why = topology == .oneWay ? "is a direction already" : "has no two sides"
            reader.diagnostics.error(
                "'\(topology.rawValue)' \(why)", at: reader.location(of: Self.direction.key),
                notes: ["leave direction out"])
        }
        if topology == nil, seed != nil {
            reader.diagnostics.error(
                "seed chooses sides within one group, and the sides are named here",
                at: reader.location(of: Self.seed.key), notes: ["leave it out, or name a topology"])
        }
    }

    // MARK: In words

    /// What would be done: `block all traffic between a (web-1) and b (db-1) …`.
    func operation(on target: Target, _ verb: String) -> String {
        "\(verb) \(traffic.summary) \(way(target)) in the containers' network namespaces (nf_tables, \(mode.rawValue))"
    }

    private func way(_ target: Target) -> String {
        let names = target.sides.map { side in "\(side.role) (\(side.members.map(\.name).joined(separator: ", ")))" }
        if let topology {
            let members = target.sides.flatMap { $0.members }.map(\.name).joined(separator: ", ")
            return "among \(members) (\(topology.rawValue)\(seed.map { ", seed \($0)" } ?? ""))"
        }
        return switch direction {
        case .both: "between \(names.joined(separator: " and "))"
        case .to: "from \(names.joined(separator: " to "))"
        case .from: "from \(names.reversed().joined(separator: " to "))"
        }
    }
}
