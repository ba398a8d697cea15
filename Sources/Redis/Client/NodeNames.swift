internal import Basics
internal import Contracts
internal import Experiment

/// Which declared node an address is.
struct NodeNames: Sendable {
    private let names: [String: Label]

    init(_ nodes: [NamedValue<RedisURL>]) {
        names = Dictionary(nodes.map { (Self.place($0.value), Label($0.name)) }) { first, _ in first }
    }

    /// The node's name; of an address that none is declared with, its host and port.
    func name(of url: RedisURL) -> Label {
        let place = Self.place(url)
        return names[place] ?? Label(place)
    }

    func knows(_ url: RedisURL) -> Bool { names[Self.place(url)] != nil }

    /// Host and port without user, password and the rest, which may be written in several ways.
    private static func place(_ url: RedisURL) -> String {
        do throws(RedisEndpoint.Malformed) {
            return try RedisEndpoint(parsing: url.text).place
        } catch {
            // A whole address that is a secret: only the same text is the same.
            return url.text
        }
    }
}
