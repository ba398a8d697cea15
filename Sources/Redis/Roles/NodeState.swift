/// What a node says of itself in `INFO replication`: its role, whose data it holds, and how much of it.
///
/// Two nodes hold the same history up to the same offset when they name the same replication id. A promotion draws a new
/// one and keeps the old one as the second, with the offset at which the two part.
package struct NodeState: Sendable, Hashable {
    package var isPrimary: Bool
    /// 40 hexadecimal digits.
    package var replication: String
    /// The history that this one came from; nil when it came from none.
    package var origin: String?
    /// The first offset that the origin does not share.
    package var forkOffset: Int64
    /// Bytes of the replication stream: written by a primary, received by a replica.
    package var offset: Int64
    /// Of a replica: whether it is connected to its primary.
    package var isLinkUp: Bool

    /// nil for what is no data node: a Sentinel has no replication section.
    package init?(info text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon]] = line[line.index(after: colon)...]
        }
        guard let role = fields["role"], role == "master" || role == "slave", let replication = fields["master_replid"]
        else { return nil }
        isPrimary = role == "master"
        self.replication = String(replication)
        let second = fields["master_replid2"].map(String.init)
        origin = second?.allSatisfy { $0 == "0" } == false ? second : nil
        forkOffset = fields["second_repl_offset"].flatMap { Int64($0) } ?? -1
        let received = isPrimary ? nil : fields["slave_repl_offset"].flatMap { Int64($0) }
        offset = received ?? fields["master_repl_offset"].flatMap { Int64($0) } ?? 0
        isLinkUp = isPrimary || fields["master_link_status"] == "up"
    }

    /// The ids under which its data is known, its own first.
    var histories: [String] { [replication] + (origin.map { [$0] } ?? []) }

    /// Bytes that this primary has written and the other, which came from the same history, does not have; nil when neither
    /// came from the other.
    package func divergence(from other: NodeState) -> Int64? {
        guard replication != other.replication, other.origin == replication, other.forkOffset > 0 else { return nil }
        return max(0, offset - (other.forkOffset - 1))
    }
}
