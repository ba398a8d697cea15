internal import Basics
internal import Contracts
internal import Postgres

/// What Aurora's own functions say of replicas in the cluster and in other regions. Plain PostgreSQL has none of them.
struct AuroraFunctions: Sendable, Hashable {
    static let question =
        "SELECT to_regproc('aurora_replica_status') IS NOT NULL, to_regproc('aurora_global_db_status') IS NOT NULL"

    var hasReplicaStatus: Bool
    var hasGlobalStatus: Bool

    init(_ answer: QueryResult) {
        hasReplicaStatus = answer.boolean(0, 0) ?? false
        hasGlobalStatus = answer.boolean(0, 1) ?? false
    }
}

/// How far replicas are behind, as the writer's instance knows it.
enum AuroraLag {
    /// A row that was not renewed for so long is of a replica that says nothing any more.
    private static let fresh = Span.seconds(10)

    /// Rows of nodes that are gone stay for five minutes; Aurora's drivers leave them out in the same way.
    static let replicaQuestion = """
        SELECT server_id, replica_lag_in_msec, extract(epoch FROM now() - last_update_timestamp)
        FROM aurora_replica_status()
        WHERE session_id <> 'MASTER_SESSION_ID' AND replica_lag_in_msec IS NOT NULL
            AND (last_update_timestamp IS NULL OR last_update_timestamp > now() - interval '5 minutes')
        """

    /// The primary region's row has -1.
    static let globalQuestion =
        "SELECT aws_region, durability_lag_in_msec, rpo_lag_in_msec FROM aurora_global_db_status()"

    /// One for each replica. One that has gone silent lags by at least what it said last and the silence since.
    static func replicas(_ answer: QueryResult, probe: Label, at instant: Instant) -> [Measurement] {
        answer.rows.indices.compactMap { row in
            guard let node = answer[row, 0], let lag = seconds(answer[row, 1]) else { return nil }
            let silence = answer[row, 2].flatMap(Double.init) ?? 0
            let isSilent = silence > Self.fresh.seconds
            return Measurement(
                probe: probe, node: Label(node), metric: "replica-lag", at: instant,
                value: isSilent ? lag + silence : lag, unit: .seconds, isCensored: isSilent)
        }
    }

    /// `global-lag` of each secondary region, and `global-rpo` where Aurora computes it.
    static func regions(_ answer: QueryResult, probe: Label, at instant: Instant) -> [Measurement] {
        answer.rows.indices.flatMap { row -> [Measurement] in
            guard let region = answer[row, 0] else { return [] }
            let figures: [(Label, Double?)] = [
                ("global-lag", seconds(answer[row, 1])), ("global-rpo", seconds(answer[row, 2])),
            ]
            return figures.compactMap { metric, value in
                value.map {
                    Measurement(
                        probe: probe, node: Label(region), metric: metric, at: instant, value: $0, unit: .seconds)
                }
            }
        }
    }

    /// nil for NULL and for -1, which says that there is no lag to speak of.
    private static func seconds(_ milliseconds: String?) -> Double? {
        guard let value = milliseconds.flatMap(Double.init), value >= 0, value.isFinite else { return nil }
        return value / 1_000
    }
}
