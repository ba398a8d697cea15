package import Basics

/// Packets of our own that go one way, for seeing what becomes of them.
///
/// They are made so that nobody minds: a wrong checksum and, where that suffices, a life of one hop.
package struct Flow: Sendable, Hashable {
    /// How a packet's fate is seen.
    package enum Way: Sendable, Hashable {
        /// Sent by the member, seen where it leaves the member's interface, after every tree: nobody has to answer.
        case leaving
        /// Sent by another member, seen when the member's network layer delivers it.
        case arriving(from: NamespaceMember)
        /// Sent by the member as an echo request; the answer is seen when it is delivered.
        case echo
    }

    /// The member whose packets the fault is about.
    package var shaped: NamespaceMember
    package var way: Way
    package var transport: Traffic.TransportProtocol
    /// A port that the packets come from, so that rules for it match; nil: any will do.
    package var port: UInt16?
    package var destination: AddressRange
    package var count: Int
    /// Time between two packets; zero sends them as fast as they go.
    package var spacing: Span
    /// Bytes after the header of the transport protocol.
    package var payload: Int
    /// How long the last packet may take.
    package var patience: Span
    /// How long nothing must be seen, once all are, until there will be no second one of any.
    package var quiet = Span.milliseconds(5)
}

/// What became of a flow's packets.
package struct FlowObservation: Sendable, Hashable {
    package struct Arrival: Sendable, Hashable {
        package var index: Int
        /// From its sending until it was seen.
        package var after: Span
        package var isIntact: Bool
    }

    package var sent: Int
    /// In the order in which they were seen; one that was duplicated is seen twice.
    package var arrivals: [Arrival] = []

    /// Each packet's first arrival.
    var firsts: [Arrival] {
        var known: Set<Int> = []
        return arrivals.filter { known.insert($0.index).inserted }
    }

    var lost: Int { sent - Set(arrivals.map(\.index)).count }
    var duplicates: Int { arrivals.count - firsts.count }
    var corrupted: Int { arrivals.filter { !$0.isIntact }.count }

    /// How many arrived after one that was sent later.
    var overtaken: Int {
        var highest = -1
        var count = 0
        for arrival in firsts {
            if arrival.index < highest { count += 1 }
            highest = max(highest, arrival.index)
        }
        return count
    }

    var latencies: [Double] { firsts.map { $0.after.seconds } }
}
