package import Basics
package import Contracts
internal import Process

/// What the shaping faults need of the machine beside the kernel service that holds their tables: queueing trees are not
/// healed by the kernel, so they are looked for and taken down by their marks in every namespace there is.
package protocol TrafficControl: Sendable {
    /// What stands in the way of a fault in one member's namespace, in words for its user; nil when nothing does.
    func obstacle(
        to request: ShapeRequest, in member: NamespaceMember, of members: [NamespaceMember]
    ) async throws(NetworkError) -> ShapeObstacle?
    /// Builds everything in a namespace of our own, in which nothing is: what this kernel cannot do shows there.
    func rehearse(_ request: ShapeRequest) async throws(NetworkError)
    /// Remembers whose packets a fault has, so that no other one gets the same. It counts as long as its table is there.
    func claim(
        _ mark: String, _ request: ShapeRequest, _ members: [NamespaceMember]
    ) async throws(NetworkError)
    /// Takes down what bears the mark, in whatever namespace. Nothing there is no error.
    func remove(_ mark: TreeMark) async throws(NetworkError)
    /// What still bears the mark, in words with its namespace; empty when nothing does.
    func parts(of mark: TreeMark) async throws(NetworkError) -> [String]
    /// Every tree and link of ours, in whatever namespace of the machine.
    func treesOfOurs() async throws(NetworkError) -> SystemScan
    /// Sends packets of our own from or to a member and tells what became of each. Blocks its thread, which nobody waits
    /// for, until the last one can have arrived.
    func measure(_ flow: Flow) async throws(NetworkError) -> FlowObservation
    /// How many bytes leaves of the mark let through while we sent more than they let pass: at `pace`.
    /// One for each interface on which a leaf was busy, the fastest first.
    func saturate(
        _ flow: Flow, _ mark: TreeMark, at pace: Bandwidth, for span: Span
    ) async throws(NetworkError) -> [Throughput]
    /// Where a member's packets go first.
    func gateways(of member: NamespaceMember) async throws(NetworkError) -> [AddressRange]
}

/// A shaping fault as it is to be made; what its rules are made from.
package struct ShapeRequest: Sendable {
    let rules: ShapedMembers

    init(_ rules: ShapedMembers) {
        self.rules = rules
    }
}

/// Why a fault cannot be in a namespace.
package enum ShapeObstacle: Sendable, Hashable {
    /// Somebody else's state, which is never overwritten.
    case foreign(String)
    /// A fault of ours with which it cannot be combined.
    case conflict(String)
}

/// What a rate was measured from.
package struct Throughput: Sendable, Hashable {
    package var bytes: UInt64
    /// How long that took, the leaf never being idle.
    package var span: Span

    package var bitsPerSecond: Double { Double(bytes) * 8 / max(span.seconds, 1e-9) }
}
