/// Where a ledger writes: a schema of its own per run and probe, so that nothing of another run can be counted.
package struct LedgerTable: Sendable, Hashable {
    /// An unquoted-safe identifier of at most 63 bytes.
    package let schema: String
    /// Our owner mark, kept as the schema's comment.
    package let mark: String

    package init(run: String, probe: String) {
        schema = schemaName(run: run, probe: probe)
        mark = ownerMark(run: run, probe: probe)
    }

    package var name: String { "\(schema).ledger" }

    /// Creates schema, mark and table in one transaction.
    ///
    /// No unique constraint and no index: a constraint would hide a write that was made twice. `timeline` is read from
    /// the insert position of the log: `pg_control_checkpoint` would lag behind a promotion until the next checkpoint.
    package func creation(knowsTimeline: Bool) -> String {
        let timeline = knowsTimeline ? "left(pg_walfile_name(pg_current_wal_lsn()), 8)" : "''"
        return """
            CREATE SCHEMA \(schema);
            COMMENT ON SCHEMA \(schema) IS '\(mark)';
            CREATE TABLE \(name) (
                seq bigint NOT NULL,
                path text NOT NULL,
                at timestamptz NOT NULL DEFAULT clock_timestamp(),
                incarnation bigint NOT NULL DEFAULT \(ServerIdentity.incarnationSQL),
                writer text NOT NULL DEFAULT \(ServerIdentity.addressSQL),
                timeline text NOT NULL DEFAULT \(timeline),
                payload text
            );
            """
    }

    /// One write; its answer names the server process that made it, and on which timeline.
    package var insertion: String {
        "INSERT INTO \(name) (seq, path, payload) VALUES ($1, $2, $3) RETURNING incarnation, writer, timeline"
    }

    /// Every sequence as ranges (first, last, those in it that occur more than once), in one snapshot.
    package var reading: String {
        """
        SELECT min(seq), max(seq), string_agg(seq::text, ',' ORDER BY seq) FILTER (WHERE copies > 1)
        FROM (SELECT seq, copies, seq - row_number() OVER (ORDER BY seq) AS island
              FROM (SELECT seq, count(*) AS copies FROM \(name) GROUP BY seq) AS counted) AS numbered
        GROUP BY island ORDER BY 1
        """
    }
}

/// `squall_<run>_<probe>` in lower case; a name too long for PostgreSQL ends in a hash of the whole.
package func schemaName(run: String, probe: String) -> String {
    let full = "squall_" + identifier(run) + "_" + identifier(probe)
    guard full.utf8.count > 63 else { return full }
    return full.prefix(46) + "_" + String(stableHash("\(run)/\(probe)"), radix: 16)
}

/// The comment on a schema of ours; only a schema that bears it is dropped.
package func ownerMark(run: String, probe: String) -> String {
    "squall run=\(identifier(run)) probe=\(identifier(probe))"
}

/// Lower-case letters, digits and underscores only: safe unquoted, in comments and in slot names.
package func identifier(_ text: String) -> String {
    String(decoding: text.lowercased().utf8.map { isPlain($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
}

private func isPlain(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}

/// FNV-1a: the same on every machine and in every run.
private func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
}
