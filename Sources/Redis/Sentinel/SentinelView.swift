/// What one Sentinel says of the primary it watches (`SENTINEL MASTER`).
struct SentinelView: Sendable, Hashable {
    /// `host:port` as announced.
    var address: String
    /// Rises with every failover; Sentinels with different epochs have different views.
    var epoch: Int64
    /// `master`, `s_down` (this Sentinel takes it for dead), `o_down` (so do enough of them), `failover_in_progress` …
    var flags: Set<String>
    var replicas: Int64
    var otherSentinels: Int64
    var quorum: Int64

    /// nil for an answer of another form.
    init?(_ value: RedisValue) {
        let fields = namedValues(value)
        guard let host = fields["ip"], let port = fields["port"], let address = announcedAddress([host, port]),
            let epoch = fields["config-epoch"]?.integer
        else { return nil }
        self.address = address
        self.epoch = epoch
        flags = Set((fields["flags"]?.text ?? "").split(separator: ",").map(String.init))
        replicas = fields["num-slaves"]?.integer ?? 0
        otherSentinels = fields["num-other-sentinels"]?.integer ?? 0
        quorum = fields["quorum"]?.integer ?? 0
    }

    /// One word for what it takes the primary to be.
    var state: String {
        if flags.contains("failover_in_progress") { return "failing-over" }
        if flags.contains("o_down") { return "agreed-down" }
        if flags.contains("s_down") { return "down" }
        return "up"
    }
}
