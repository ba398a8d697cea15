internal import Basics
package import Contracts
internal import Glibc

/// Tables, queueing trees and links of ours in any network namespace of this machine, those without a process among them.
package struct NetworkLeftovers: LeftoverScanner {
    package init() {}

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        do {
            let kernel = try context.services.require((any NetworkKernel).self)
            let control = try context.services.require((any TrafficControl).self)
            return [try await kernel.tablesOfOurs(), try await control.treesOfOurs()]
        } catch {
            return [SystemScan(system: NetworkTables.system, failure: "\(error)")]
        }
    }
}

/// Looks for our tables; blocks, and belongs on the kernel service's thread.
enum NetworkTables {
    static let system = "network namespaces of this machine"
    static let prefix = "squall_"
    static let comment = "squall run "

    /// - Parameter prefix: what the names of our tables begin with; tests look for their own, because a table of theirs
    ///   must not be a leftover to whoever asks at the same time.
    static func scan(
        _ census: NamespaceCensus, prefix: String = NetworkTables.prefix
    ) throws(NetworkError) -> SystemScan {
        // Root that may not look could not have changed anything either; anybody else's rights may have been other ones.
        if census.denied > 0, geteuid() != 0 {
            return SystemScan(
                system: system, failure: "\(census.denied) may not be opened; run squall leftovers as root")
        }
        var marks: [SystemScan.Mark] = []
        for place in census.places {
            do throws(NetworkError) {
                let socket = try NetworkNamespace(path: place.path).netlink(.netfilter)
                marks += try NftablesReader.tables(socket).filter { isOurs($0, prefix) }.map { mark($0, place) }
            } catch {
                switch error.code {
                // It may have ended since it was counted, which leaves no file or a plain one; a namespace of another
                // user's is out of reach, see above.
                case .notFound, .denied, .invalid: continue
                case .unsupported, .exists, .tooLarge, .timeout, .unexpected: throw error
                }
            }
        }
        return SystemScan(system: system, marks: marks)
    }

    private static func isOurs(_ table: NftablesReader.Table, _ prefix: String) -> Bool {
        table.name.hasPrefix(prefix) && table.comment.hasPrefix(comment)
    }

    private static func mark(_ table: NftablesReader.Table, _ place: NamespaceCensus.Place) -> SystemScan.Mark {
        let owner = table.owner.map { "; it goes with netlink socket \($0) of a running squall" } ?? ""
        let leftover = Leftover(
            kind: table.name.hasPrefix(NetworkDNSFault.prefix) ? NetworkDNSFault.kind : NetworkPartitionFault.kind,
            target: place.path,
            description: "the table \(table.name) is in the network namespace \(place.identity.inode)\(owner)",
            commands: ["pgrep -a squall", "nsenter --net=\(place.path) nft list table inet \(table.name)"])
        return SystemScan.Mark(leftover, run: String(table.comment.dropFirst(comment.count)))
    }
}
