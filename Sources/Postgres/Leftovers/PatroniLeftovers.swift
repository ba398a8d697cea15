internal import Basics
package import Contracts

/// Patroni clusters whose configuration bears our mark, among those that journals and experiments name.
package struct PatroniLeftovers: LeftoverScanner {
    package init() {}

    package func scan(_ known: KnownSystems, in context: SystemContext) async -> [SystemScan] {
        var scans: [SystemScan] = []
        for address in addresses(known.places) { scans.append(await scan(address, context)) }
        // Every member shows the cluster's one configuration.
        var seen: Set<String?> = []
        for index in scans.indices { scans[index].marks.removeAll { !seen.insert($0.run).inserted } }
        return scans
    }

    private func scan(_ address: String, _ context: SystemContext) async -> SystemScan {
        let system = "patroni \(address)"
        do throws(FaultError) {
            let api = try PatroniAPI([address], in: context)
            guard let run = try await api.configuration()[PatroniPauseFault.markKey]?.string else {
                return SystemScan(system: system)
            }
            let undo = PatroniPauseFault.Undo(members: [address], wasPaused: false, mark: run)
            let leftover = Leftover(
                kind: PatroniPauseFault.kind, target: address, description: "the Patroni cluster is paused",
                commands: PatroniPauseFault.manualHeal(undo))
            return SystemScan(system: system, marks: [SystemScan.Mark(leftover, run: run)])
        } catch {
            return SystemScan(system: system, failure: "\(error)")
        }
    }

    /// Base URLs of Patroni's API: the members of a journalled change, the `patroni` of a declared node.
    private func addresses(_ places: [KnownSystems.Place]) -> [String] {
        var seen: Set<String> = []
        let relevant = places.filter { $0.kind.hasPrefix("postgres.") || $0.kind.hasPrefix("patroni.") }
        return relevant.flatMap { urls(in: $0.document) }.filter { seen.insert($0).inserted }
    }

    private func urls(in value: JSONValue) -> [String] {
        if let text = value.string { return text.hasPrefix("http://") || text.hasPrefix("https://") ? [text] : [] }
        if let list = value.array { return list.flatMap(urls) }
        return (value.object ?? [:]).sorted { $0.key < $1.key }.flatMap { urls(in: $0.value) }
    }
}
