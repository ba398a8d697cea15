internal import Basics
internal import Contracts

/// A database server that some journal or experiment file names.
struct KnownServer {
    var dsn: DSN
    var secrets: SecretStore

    /// Each server once, in the order in which they are named.
    static func all(in places: [KnownSystems.Place]) -> [KnownServer] {
        var seen: Set<DSN> = []
        var found: [KnownServer] = []
        for place in places where place.kind.hasPrefix("postgres.") || place.kind.hasPrefix("patroni.") {
            // Addresses of Patroni's API stand beside those of servers.
            for dsn in place.texts(under: ["dsn", "nodes", "direct"]).map({ DSN($0) })
            where !dsn.text.hasPrefix("http") && dsn.problem == nil && seen.insert(dsn).inserted {
                found.append(KnownServer(dsn: dsn, secrets: place.secrets))
            }
        }
        return found
    }
}
