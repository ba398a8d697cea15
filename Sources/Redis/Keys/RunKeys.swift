internal import Basics

/// Where a probe writes: keys of its own per run and probe, so that nothing of another run can be counted.
///
/// For a ledger they are lists: a write appends its sequence to one of them. Lists and not a key for each write, because a list shows a write that was
/// made twice, and because their names are known beforehand: they are removed without looking through the key space.
/// There are several, so that none grows too long to be read at once, and so that a cluster spreads them over its shards.
package struct RunKeys: Sendable, Hashable, Codable {
    /// `squall:<run>:<probe>:`, which is our owner mark as well.
    package var prefix: String
    package var count: Int

    package static let mark = "squall:"

    package init(run: String, probe: String, count: Int = 64) {
        prefix = "\(Self.mark)\(run):\(probe):"
        self.count = count
    }

    package var names: [String] { (0..<count).map { "\(prefix)\($0)" } }

    /// Neighbours stand in different lists.
    package func name(of sequence: Int64) -> String { "\(prefix)\(Int(sequence) % count)" }

    /// One write.
    package func append(_ sequence: Int64, payload: String) -> [String] {
        ["RPUSH", name(of: sequence), payload.isEmpty ? "\(sequence)" : "\(sequence) \(payload)"]
    }

    /// Everything that is there, in as many answers as there are lists.
    package var reading: [[String]] { names.map { ["LRANGE", $0, "0", "-1"] } }

    /// The sequence of an entry; nil for what is none of ours.
    package static func sequence(of entry: RedisValue) -> Int64? {
        entry.text.flatMap { text in Int64(text.prefix { $0 != " " }) }
    }
}

/// Goes through the key space, and hands over the names that begin with `prefix` as they are found.
func scanKeys(
    _ prefix: String, _ connection: RedisConnection, until deadline: Instant,
    _ body: ([String]) async throws(RedisError) -> Void
) async throws(RedisError) {
    var cursor = "0"
    repeat {
        let answer = try await connection.call(
            ["SCAN", cursor, "MATCH", "\(prefix)*", "COUNT", "1000"], until: deadline)
        guard let parts = answer.array, parts.count == 2, let next = parts[0].text else {
            throw RedisError(
                .lost, phase: .command, commandSent: true, message: "SCAN was not understood",
                subject: connection.subject)
        }
        let names = (parts[1].array ?? []).compactMap(\.text)
        if !names.isEmpty { try await body(names) }
        cursor = next
    } while cursor != "0"
}
