/// Which instances a probe is about, from look to look.
struct InstanceCensus: Sendable {
    private static let isOver: Set = ["shutting-down", "terminated"]

    /// Seen alive at some time, or named.
    private(set) var known: Set<String>

    /// - Parameter named: the identifiers that the file names; empty when tags and a zone select.
    init(named: [String]) {
        known = Set(named)
    }

    /// What a look is about: those that are there by their identifiers, and those that were and are listed no more. One
    /// that was over before it was ever seen is none of them; it is listed for an hour.
    mutating func take(_ found: [ComputeInstance]) -> (there: [ComputeInstance], gone: [String]) {
        let there = found.filter { known.contains($0.id) || !Self.isOver.contains($0.state) }.sorted { $0.id < $1.id }
        let gone = known.subtracting(there.map(\.id)).sorted()
        known.formUnion(there.map(\.id))
        return (there, gone)
    }
}
