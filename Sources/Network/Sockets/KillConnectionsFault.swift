package import Basics
package import Contracts
package import Experiment

/// Ends TCP connections of containers from inside their network namespaces: both ends lose them at once.
package struct KillConnectionsFault: Fault {
    /// In whose namespaces it was. Ended connections cannot be brought back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: String
        package var members: [NamespaceMember]
        /// Only connections with these are ended; nil: with anybody.
        package var peers: [AddressRange]?
    }

    package static let kind = "network.kill-connections"
    package static let requires: Set<Target.Attribute> = []
    package static let targeting = Targeting.either

    private static let ports = Parameter<[PortRange]>.defaulted(
        "ports", .list(.portRange), to: [], written: "all", "only connections from or to these ports, at either end")
    private static let loopback = Parameter<Bool>.defaulted(
        "loopback", .boolean, to: false, written: "false", "true: also connections of the container with itself")
    package static let parameters: [any AnyParameter] = [ports, loopback]

    private let filter: ConnectionFilter

    package init(from reader: inout ParameterReader) {
        filter = ConnectionFilter(ports: reader.value(Self.ports), includesLoopback: reader.value(Self.loopback))
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        let sides = target.sides.map { side in side.members.map(\.name).joined(separator: ", ") }
        let who = sides.count == 2 ? "\(sides[0]) with \(sides[1])" : target.name
        return PlannedOperation(
            operation: "end TCP connections of \(who)\(words) in the container's network namespace (SOCK_DESTROY)",
            undo: "none needed: clients connect again",
            privileges: ["root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE", "the Docker engine"])
    }

    private var words: String { filter.summary.isEmpty ? "" : " \(filter.summary)" }

    /// Says whether the kernel can end connections at all, before anything is touched.
    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let undo = try await Self.undo(target, in: context)
        let kernel = try context.services.require((any NetworkKernel).self)
        for member in undo.members {
            do throws(NetworkError) {
                try await kernel.checkConnectionsCanBeEnded(of: member.process)
            } catch {
                throw Self.failure(member.name, error)
            }
        }
        return undo
    }

    private static func undo(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        guard target.sides.count == 2 else {
            return Undo(target: target.name, members: [try await NamespaceMember(target, for: kind, in: context)])
        }
        let a = try await PartitionSide(target.sides[0], for: kind, in: context)
        let b = try await PartitionSide(target.sides[1], for: kind, in: context)
        if let first = a.outside.first {
            throw FaultError(
                .notApplicable, "\(first) is on side a, where connections are ended, and is no container",
                advice: "swap the sides: both ends of a connection lose it")
        }
        try PartitionSide.refuseShared(a, b)
        let peers = AddressRange.merged(b.spaces.flatMap(\.addresses) + b.outside)
        return Undo(target: target.name, members: a.spaces, peers: peers)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        var filter = filter
        filter.remote = undo.peers ?? []
        let begun = context.time.now
        do throws(NetworkError) {
            var ended: [[TCPConnection]] = []
            for member in undo.members { ended.append(try await kernel.endConnections(filter, of: member.process)) }
            let instant = context.time.now
            for (member, connections) in zip(undo.members, ended) {
                let left = Set(try await kernel.connections(filter, of: member.process).map(\.identity))
                if let survivor = connections.first(where: { left.contains($0.identity) }) {
                    return .unproven("the connection \(survivor) of \(member.name) is still there")
                }
            }
            let all = ended.flatMap(\.self)
            guard !all.isEmpty else {
                return .unproven("\(undo.target) had no TCP connection\(words) that could be ended")
            }
            let examples = all.prefix(3).map(\.description).joined(separator: ", ")
            let count = all.count == 1 ? "1 connection" : "\(all.count) connections"
            let others = zip(undo.members, ended).filter { $1.isEmpty }.map { "; \($0.0.name) had none" }
            return .confirmed(
                InstantRange(begun, instant),
                evidence: "\(count) ended and gone from the kernel's list: \(examples)\(all.count > 3 ? ", …" : "")"
                    + others.joined())
        } catch {
            throw Self.failure(undo.target, error)
        }
    }

    private static func failure(_ target: String, _ error: NetworkError) -> FaultError {
        guard error.code == .unsupported else { return FaultError("end connections", on: target, error) }
        return FaultError(
            .notApplicable, "cannot end connections of \(target): the kernel lacks CONFIG_INET_DIAG_DESTROY",
            advice: "use network.partition with mode: reject-tcp, which resets what is sent", underlying: error)
    }

    // MARK: Heal

    /// Nothing to do: clients connect again by themselves.
    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {}

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? { nil }

    package static func manualHeal(_ undo: Undo) -> [String] { [] }

    /// A request to the kernel is carried out when it is sent.
    package static func lateEffect(of undo: Undo) -> Span { .zero }

    package static let manual = Manual(
        summary: "End TCP connections of a container at once, at both ends",
        details: """
            The kernel is asked over netlink to end every TCP connection of the container's network namespace that matches
            `ports`; without them, all but those of the container with itself. With `between` only those that side a has
            with side b, which may be containers or addresses. The program in the container
            gets ECONNABORTED, the other end a reset: what a stateful firewall that lost its table, or a load balancer
            that was replaced, does to pooled connections. Handshakes that are under way end, too; ports that listen stay
            open, and whoever connects again is served. Nothing runs in the container.

            The evidence says how many connections were ended and read back as gone. When there was none the effect is
            unproven, and the run inconclusive. There is nothing to undo. The probes' own connections are connections like
            any other. Kernels without CONFIG_INET_DIAG_DESTROY are refused before anything is touched.
            """,
        example: """
            targets:
              database: {docker: {names: [db-1]}}
              workers:  {docker: {names: [worker-1, worker-2]}}
            method:
              - {name: cut-pool, fault: network.kill-connections, target: database, ports: [5432]}
              - {name: cut-workers, fault: network.kill-connections, between: {a: workers, b: database}}
            """)
}
