package import Basics
package import Contracts
package import Process

/// What the network faults need of the machine whose kernel has the targets' namespaces; a service, so that a simulated
/// world can stand in.
package protocol NetworkKernel: Sendable {
    /// The namespace of a process and the addresses by which others reach it. Refuses the machine's own: every process
    /// of the machine would be hit, the tool among them.
    func look(at process: ProcessIdentity) async throws(NetworkError) -> NamespaceFacts
    /// Makes the tables in every namespace with nothing in their sets: no packet is touched. All or none.
    ///
    /// - Parameter report: told what happens to the fault until it is released.
    func install(
        _ work: NetworkWork, report: @escaping @Sendable (HoldEvent) -> Void
    ) async throws(NetworkError)
    /// Fills the sets of every namespace, one batch each, and keeps them filled; returns when it happened.
    ///
    /// The kernel empties them by itself when they are not renewed: a controller that hangs blocks nobody for long.
    func arm(_ mark: String) async throws(NetworkError) -> InstantRange
    /// Switches an armed fault off and on by a pattern, whose first stretch began with the arming; until the release.
    func alternate(_ mark: String, _ pattern: SwitchPattern, since armed: Instant) async throws(NetworkError)
    /// Empties the sets, deletes the tables, closes the sockets. One that this process does not hold is no error.
    func release(_ mark: String) async
    /// How many elements the sets of this mark's tables still have in the namespace: with none they do nothing. nil when
    /// there is no such table or no such namespace any more.
    func elements(of mark: String, in member: NamespaceMember) async throws(NetworkError) -> Int?
    /// The containers that held faults are on, now and whenever it changes.
    func containers() async -> AsyncStream<Set<String>>
    /// Members whose process has ended, and whom the fault waits for.
    func missing() async -> [MissingMember]
    /// A missing member runs again: every fault that was on it is put on it again, and the other members learn its
    /// addresses.
    ///
    /// - Parameter startedAt: since when it could send without the fault.
    func bring(_ member: NamespaceMember, startedAt: Instant) async throws(NetworkError)
    /// Every namespace of this machine in which the sets of this mark have elements, in words.
    func places(of mark: String) async throws(NetworkError) -> [String]
    /// Every table that bears our mark, in whatever namespace of the machine.
    func tablesOfOurs() async throws(NetworkError) -> SystemScan
    /// Sends packets of our own along the paths and tells by index which ones got through.
    func passing(
        _ paths: [ProbePath], of members: [NamespaceMember], within limit: Span
    ) async throws(NetworkError) -> Set<Int>
    /// The TCP connections of the namespace of a process that the filter means.
    func connections(
        _ filter: ConnectionFilter, of process: ProcessIdentity
    ) async throws(NetworkError) -> [TCPConnection]
    /// Ends them; returns those that were ended. `unsupported` when the kernel cannot (CONFIG_INET_DIAG_DESTROY).
    func endConnections(
        _ filter: ConnectionFilter, of process: ProcessIdentity
    ) async throws(NetworkError) -> [TCPConnection]
    /// Throws when connections there cannot be ended at all; ends none.
    func checkConnectionsCanBeEnded(of process: ProcessIdentity) async throws(NetworkError)
    /// The name servers that programs of the process's container ask, by its /etc/resolv.conf.
    func nameServers(of process: ProcessIdentity) async throws(NetworkError) -> [AddressRange]
    /// Names of the tables in the namespace of a process that begin with `prefix`.
    func tables(_ prefix: String, of process: ProcessIdentity) async throws(NetworkError) -> [String]
    /// Forgets where queries to these servers were sent before; `redirectedOnly`: those alone that went to a proxy of ours.
    func forgetQueries(
        to servers: [AddressRange], redirectedOnly: Bool, of process: ProcessIdentity
    ) async throws(NetworkError)
    /// Asks a name server from inside the namespace; nil when no answer comes in time.
    func ask(
        _ name: DomainName, _ family: AddressFamily, of server: AddressRange, from process: ProcessIdentity,
        within limit: Span
    ) async throws(NetworkError) -> NameReply?
    /// Sends packets out along the paths and tells by index which ones the members' networks took: a route was there, and
    /// nothing local stopped them.
    func leaving(_ paths: [ProbePath], of members: [NamespaceMember]) async throws(NetworkError) -> Set<Int>
    /// The same with a fault of this mark armed: by index, those whose packets its rules have met.
    func stopped(
        _ paths: [ProbePath], of members: [NamespaceMember], mark: String
    ) async throws(NetworkError) -> Set<Int>
}

/// A container that ended while a fault was on it.
package struct MissingMember: Sendable, Hashable {
    package var name: String
    package var container: String
    package var since: Instant

    package init(name: String, container: String, since: Instant) {
        self.name = name
        self.container = container
        self.since = since
    }
}

/// What a namespace is known by.
package struct NamespaceFacts: Sendable, Hashable {
    package var identity: NamespaceIdentity
    package var addresses: [AddressRange]

    package init(identity: NamespaceIdentity, addresses: [AddressRange]) {
        self.identity = identity
        self.addresses = addresses
    }
}

/// A way from one namespace to an address, and how to try it.
package struct ProbePath: Sendable, Hashable {
    package enum Method: Sendable, Hashable {
        /// A UDP datagram to a socket of ours: shows one direction alone.
        case datagram
        /// A TCP connection to a socket of ours, which needs both directions.
        case connection
        /// A TCP connection to whatever listens on this port; refused is an answer, too.
        case answer(port: UInt16)
        /// The same, and refused is no answer.
        case service(port: UInt16)
        /// Something that leaves; nobody is expected to answer.
        case outgoing(Traffic.TransportProtocol, port: UInt16)
    }

    /// Index of the member it starts from.
    package var from: Int
    /// Index of the member that has the address; nil for an address outside.
    package var to: Int?
    package var address: AddressRange
    package var method: Method

    package init(from: Int, to: Int?, address: AddressRange, method: Method) {
        self.from = from
        self.to = to
        self.address = address
        self.method = method
    }
}
