internal import Basics
internal import Contracts
package import Experiment

/// How clients find the primary: one address that always leads to it, Sentinels that say where it is, or the nodes of a
/// cluster, which say who owns a key.
///
/// What Sentinels and cluster nodes say is an address as the nodes announce it, which may mean nothing where Squall runs (a container's name,
/// an address behind a translation): `addresses` says what to use instead, `primaryURL` with which user and over TLS or not.
/// Holds addresses as written in the file, no secret.
package struct PrimaryLocation: Sendable, Hashable, Codable {
    package var url: RedisURL?
    package var sentinels: [RedisURL]
    /// Nodes to ask who owns what.
    package var cluster: [RedisURL]
    /// The name under which the Sentinels watch the primary.
    package var master: String
    /// An address with `{address}` where the announced host and port stand.
    package var primaryURL: String
    /// By what Sentinels say, `redis-1:6379`.
    package var addresses: [String: RedisURL]

    package init(
        url: RedisURL? = nil, sentinels: [RedisURL] = [], cluster: [RedisURL] = [], master: String = "mymaster",
        primaryURL: String = placeholder, addresses: [String: RedisURL] = [:]
    ) {
        self.url = url
        self.sentinels = sentinels
        self.cluster = cluster
        self.master = master
        self.primaryURL = primaryURL
        self.addresses = addresses
    }

    private static let placeholder = "redis://{address}"
    private static let urlParameter = Parameter<RedisURL?>.optional(
        "url", .redis, "An address that always leads to the primary; instead of sentinels or cluster.")
    private static let sentinelsParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "sentinels", .map(.redis), to: [], written: "none", "Every Sentinel; all are asked where the primary is.")
    private static let clusterParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "cluster", .map(.redis), to: [], written: "none", "Nodes of a Redis Cluster; any of them says who owns what.")
    private static let masterParameter = Parameter<String>.defaulted(
        "master", .text, to: "mymaster", written: "mymaster", "The name under which the Sentinels watch the primary.")
    private static let primaryURLParameter = Parameter<String>.defaulted(
        "primary-url", .text, to: placeholder, written: "redis://{address}",
        "How to reach an address that Sentinels or nodes name, for example rediss://app:${password}@{address}.")
    private static let addressesParameter = Parameter<[NamedValue<RedisURL>]>.defaulted(
        "addresses", .map(.redis), to: [], written: "none",
        "What to use for an address that they name: {\"redis-1:6379\": redis://127.0.0.1:6001}.")

    package static let parameters: [any AnyParameter] = [
        urlParameter, sentinelsParameter, clusterParameter, masterParameter, primaryURLParameter, addressesParameter,
    ]

    package init(from reader: inout ParameterReader) {
        let named = reader.value(Self.addressesParameter)
        self.init(
            url: reader.value(Self.urlParameter), sentinels: reader.value(Self.sentinelsParameter).map(\.value),
            cluster: reader.value(Self.clusterParameter).map(\.value),
            master: reader.value(Self.masterParameter), primaryURL: reader.value(Self.primaryURLParameter),
            addresses: Dictionary(named.map { ($0.name, $0.value) }) { first, _ in first })
        if [url != nil, !sentinels.isEmpty, !cluster.isEmpty].count(where: \.self) != 1 {
            reader.diagnostics.error(
                "one of url, sentinels and cluster must say where the primary is", at: reader.location,
                notes: ["url: redis://cache.internal:6379, or sentinels: {s1: redis://10.0.0.1:26379, …}"])
        }
        if !primaryURL.contains("{address}") {
            reader.diagnostics.error(
                "primary-url needs {address}, where the host and port that a Sentinel names are put",
                at: reader.location(of: Self.primaryURLParameter.key))
        } else if let problem = reach("host:6379").problem {
            reader.diagnostics.error(
                "primary-url cannot be used: \(problem)", at: reader.location(of: Self.primaryURLParameter.key))
        }
    }

    /// Where to connect for an address that a Sentinel has named.
    package func reach(_ announced: String) -> RedisURL {
        addresses[announced] ?? RedisURL(primaryURL.replacing("{address}", with: announced))
    }

    /// For messages: `redis://…`, `cache of 3 Sentinels`, `a cluster of 6 nodes`.
    package var summary: String {
        if let url { return url.text }
        return cluster.isEmpty ? "\(master) of \(sentinels.count) Sentinels" : "a cluster of \(cluster.count) nodes"
    }

    /// What a person would type to see where the primary is.
    package var advice: String {
        if let url { return "redis-cli -u '\(url)' ROLE" }
        if let node = cluster.first { return "redis-cli -u '\(node)' CLUSTER NODES" }
        let sentinel = sentinels.first?.text ?? "redis://SENTINEL:26379"
        return "redis-cli -u '\(sentinel)' SENTINEL MASTER \(master)"
    }
}
