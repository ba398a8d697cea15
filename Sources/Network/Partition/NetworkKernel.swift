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
    /// - Parameter onLoss: told in the words of a person why the block does not hold any more, before anybody released
    ///   it: a namespace that vanished, a lease that ran out.
    func install(_ block: Block, onLoss: @escaping @Sendable (String) -> Void) async throws(NetworkError)
    /// Fills the sets of every namespace, one batch each, and keeps them filled; returns when it happened.
    ///
    /// The kernel empties them by itself when they are not renewed: a controller that hangs blocks nobody for long.
    func arm(_ mark: String) async throws(NetworkError) -> InstantRange
    /// Empties the sets, deletes the tables, closes the sockets. One that this process does not hold is no error.
    func release(_ mark: String) async
    /// How many addresses a table of this mark still blocks in the namespace; nil when there is no such table or no such
    /// namespace any more.
    func blocked(_ mark: String, in member: Block.Member) async throws(NetworkError) -> Int?
    /// Every table that bears our mark, in whatever namespace of the machine.
    func tablesOfOurs() async throws(NetworkError) -> SystemScan
    /// Sends packets of our own along the paths and tells by index which ones got through.
    func passing(_ paths: [ProbePath], of block: Block, within limit: Span) async throws(NetworkError) -> Set<Int>
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

/// Peers kept apart in some namespaces, with one mark on all that is made for it.
package struct Block: Sendable, Hashable, Codable {
    /// One namespace that takes part.
    package struct Member: Sendable, Hashable, Codable {
        package var name: String
        /// A process that lives in it.
        package var process: ProcessIdentity
        package var namespace: NamespaceIdentity
        package var addresses: [AddressRange]
        package var incoming: [AddressRange]
        package var outgoing: [AddressRange]
    }

    /// Name of the tables: nothing else is ever touched.
    package var mark: String
    package var run: String
    package var traffic: Traffic
    package var mode: BlockMode
    package var members: [Member]
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
    }

    /// Index of the member it starts from.
    package var from: Int
    /// Index of the member that has the address; nil for an address outside.
    package var to: Int?
    package var address: AddressRange
    package var method: Method
}
