/// A write that leaves nothing behind and is acknowledged as clients' writes are.
///
/// A transaction that has a number and wrote no log is committed without a flush, and waits for no synchronous replica
/// (RecordTransactionCommit in xact.c): it would succeed where every client hangs. A transactional message is log that
/// no table holds. On a standby the first function fails with 25006 (read-only transaction).
struct EndpointWrite: Sendable {
    private static let full = "SELECT txid_current(), pg_logical_emit_message(true, 'squall', '')"
    private static let bare = "SELECT txid_current()"
    /// Insufficient privilege, no such function, not supported: here messages cannot be written.
    private static let refusals: Set = ["42501", "42883", "0A000"]

    private(set) var statement = EndpointWrite.full

    /// Whether the write is to be tried again without the message, because of how it was refused.
    mutating func simplify(after sqlState: String) -> Bool {
        guard statement == Self.full, Self.refusals.contains(sqlState) else { return false }
        statement = Self.bare
        return true
    }
}
