package import Basics
package import Contracts
package import Experiment

/// Ends TCP connections of a container from inside its network namespace: both ends lose them at once.
package struct KillConnectionsFault: Fault {
    /// In whose namespace it was. Ended connections cannot be brought back.
    package struct Undo: Codable, Sendable, Hashable {
        package var target: String
        package var member: NamespaceMember
    }

    package static let kind = "network.kill-connections"
    package static let requires: Set<Target.Attribute> = [.containerID]

    private static let towards = Parameter<[AddressRange]>.defaulted(
        "towards", .list(.addressRange), to: [], written: "anybody", "only connections with these addresses or blocks")
    private static let ports = Parameter<[PortRange]>.defaulted(
        "ports", .list(.portRange), to: [], written: "all", "only connections from or to these ports, at either end")
    private static let loopback = Parameter<Bool>.defaulted(
        "loopback", .boolean, to: false, written: "false", "true: also connections of the container with itself")
    package static let parameters: [any AnyParameter] = [towards, ports, loopback]

    let filter: ConnectionFilter

    package init(from reader: inout ParameterReader) {
        filter = ConnectionFilter(
            remote: reader.value(Self.towards), ports: reader.value(Self.ports),
            includesLoopback: reader.value(Self.loopback))
        if !filter.includesLoopback, let inner = filter.remote.first(where: \.isLoopback) {
            reader.diagnostics.error(
                "\(inner) is the container itself", at: reader.location(of: Self.towards.key),
                notes: ["write loopback: true to end connections of the container with itself"])
        }
    }

    package var persistence: Persistence { .passing }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "end TCP connections of \(target.name)\(words) in its network namespace (SOCK_DESTROY)",
            undo: "none needed: clients connect again",
            privileges: ["root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE", "the Docker engine"])
    }

    private var words: String { filter.summary.isEmpty ? "" : " \(filter.summary)" }

    /// Says whether the kernel can end connections at all, before anything is touched.
    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let member = try await NamespaceMember(target, for: Self.kind, in: context)
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            try await kernel.checkConnectionsCanBeEnded(of: member.process)
        } catch {
            throw Self.failure(target.name, error)
        }
        return Undo(target: target.name, member: member)
    }

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        let begun = context.time.now
        do throws(NetworkError) {
            let ended = try await kernel.endConnections(filter, of: undo.member.process)
            let instant = context.time.now
            guard !ended.isEmpty else {
                return .unproven("\(undo.target) had no TCP connection\(words) that could be ended")
            }
            let left = Set(try await kernel.connections(filter, of: undo.member.process).map(\.identity))
            if let survivor = ended.first(where: { left.contains($0.identity) }) {
                return .unproven("the connection \(survivor) of \(undo.target) is still there")
            }
            let examples = ended.prefix(3).map(\.description).joined(separator: ", ")
            let count = ended.count == 1 ? "1 connection" : "\(ended.count) connections"
            return .confirmed(
                InstantRange(begun, instant),
                evidence: "\(count) ended and gone from the kernel's list: \(examples)\(ended.count > 3 ? ", …" : "")")
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
            `towards` and `ports`; without them, all but those of the container with itself. The program in the container
            gets ECONNABORTED, the other end a reset: what a stateful firewall that lost its table, or a load balancer
            that was replaced, does to pooled connections. Handshakes that are under way end, too; ports that listen stay
            open, and whoever connects again is served. Nothing runs in the container.

            The evidence says how many connections were ended and read back as gone. When there was none the effect is
            unproven, and the run inconclusive. There is nothing to undo. The probes' own connections are connections like
            any other. Kernels without CONFIG_INET_DIAG_DESTROY are refused before anything is touched.
            """,
        example: """
            method:
              - {name: cut-pool, fault: network.kill-connections, target: database, ports: [5432]}
            """)
}
