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
            for dsn in strings(under: ["dsn", "nodes", "direct"], in: place.document).map({ DSN($0) })
            where dsn.problem == nil && seen.insert(dsn).inserted {
                found.append(KnownServer(dsn: dsn, secrets: place.secrets))
            }
        }
        return found
    }

    /// The texts that stand under one of these keys, at any depth; addresses of Patroni's API are none of a server.
    private static func strings(under keys: Set<String>, in value: JSONValue, isUnder: Bool = false) -> [String] {
        if let text = value.string { return isUnder && !text.isEmpty && !text.hasPrefix("http") ? [text] : [] }
        if let list = value.array { return list.flatMap { strings(under: keys, in: $0, isUnder: isUnder) } }
        return (value.object ?? [:]).sorted { $0.key < $1.key }.flatMap { key, member in
            strings(under: keys, in: member, isUnder: isUnder || keys.contains(key))
        }
    }
}
