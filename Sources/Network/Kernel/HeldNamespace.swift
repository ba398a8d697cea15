internal import Basics
internal import CLinux
internal import Glibc
internal import Process

/// A namespace with our tables in it, alive as long as the socket they belong to. Used on the kernel service's thread.
final class HeldNamespace {
    private(set) var member: NamespaceMember
    /// Readable once the process has ended: our socket would keep its dead namespace alive.
    let process: Descriptor
    /// Readable once an interface or an address has changed.
    let route: NetlinkSocket
    private let socket: NetlinkSocket
    private var interfaces: [NamespaceReader.Link]
    private var plans: [TablePlan] = []
    private var companion: (any NamespaceCompanion)?
    /// What the rules of tables that were replaced had counted.
    private var before = Counted()

    /// Opens the sockets, builds what stands beside the tables, and makes the tables with empty sets.
    init(_ index: Int, of work: NetworkWork, in space: borrowing NetworkNamespace) throws(NetworkError) {
        member = work.members[index]
        let number = squall_pidfd_open(member.process.pid, 0)
        guard number >= 0 else { throw NetworkError("hold process \(member.process.pid)", errno: errno) }
        process = Descriptor(owning: number)
        (socket, route) = try space.netlinkPair()
        // Before the first look: a change after it is told.
        try route.subscribe(to: NamespaceReader.changes)
        interfaces = try route.settled(NamespaceReader.links).filter { !$0.isLoopback && !TreeMark.isLink($0.index) }
        companion = try work.rules.companion(for: index, of: work.members, in: space, interfaces: interfaces)
        // Rules may have to know what their companion has become: the port that it listens on.
        do throws(NetworkError) {
            try makeTables(work.rules.tables(for: index, of: work.members, interfaces: interfaces), lease: nil)
        } catch {
            try companion?.remove()
            throw error
        }
    }

    // MARK: Tables

    /// Makes these tables in the place of those that are there, in one transaction: no packet passes in between.
    ///
    /// - Parameters:
    ///   - lease: for how long their sets are filled; nil: they stay empty.
    ///   - isOff: only the sets that tell of our life.
    func makeTables(_ wanted: [TablePlan], lease: Span?, isOff: Bool = false) throws(NetworkError) {
        if wanted.isEmpty, plans.isEmpty { return }
        let counted = plans.isEmpty || wanted.isEmpty ? before : try counters()
        var batch = try NftablesBatch("install in \(member.name)", nextSequence: socket.nextSequence)
        let filled = lease == nil ? [] : Self.filled(wanted).filter { $0.set.isHeartbeat || !isOff }
        for (index, plan) in plans.enumerated() {
            try batch.delete(plan.table, isLast: wanted.isEmpty && index == plans.count - 1)
        }
        for (index, plan) in wanted.enumerated() {
            try batch.create(plan.table, isLast: filled.isEmpty && index == wanted.count - 1)
        }
        for (index, element) in filled.enumerated() {
            try batch.add(
                element.ranges, to: element.set, of: element.table, milliseconds: Self.milliseconds(lease ?? .zero),
                isLast: index == filled.count - 1)
        }
        try socket.transact(try batch.finish())
        plans = wanted
        before = counted
    }

    private typealias Filled = (set: NftablesTable.AddressSet, table: NftablesTable, ranges: [AddressRange])

    /// The sets that get elements.
    private static func filled(_ plans: [TablePlan]) -> [Filled] {
        plans.flatMap { plan in
            plan.table.sets.compactMap { set in
                let ranges = plan.elements[set.name] ?? []
                return ranges.isEmpty ? nil : (set, plan.table, ranges)
            }
        }
    }

    private static func milliseconds(_ lease: Span) -> UInt64 { UInt64(max(1, lease.nanoseconds / 1_000_000)) }

    // MARK: The switch

    /// A transaction that was written beforehand, so that all namespaces can be switched close together.
    struct Switch {
        fileprivate let batch: NetlinkBatch?
    }

    /// Lets the elements in, for so long.
    ///
    /// - Parameter isRenewal: they may be there: adding one anew extends its time on new kernels only and is ignored by
    ///   old ones (6.1), emptying and filling in one transaction works on all and lets no packet through.
    /// - Parameter isOff: only the sets that tell of our life.
    func filling(for lease: Span, isRenewal: Bool = false, isOff: Bool = false) throws(NetworkError) -> Switch {
        let operation = isRenewal ? "renew" : "arm"
        var batch = try NftablesBatch("\(operation) in \(member.name)", nextSequence: socket.nextSequence)
        let filled = Self.filled(plans).filter { $0.set.isHeartbeat || !isOff }
        for (index, element) in filled.enumerated() {
            if isRenewal { try batch.flush(element.set, of: element.table, isLast: false) }
            try batch.add(
                element.ranges, to: element.set, of: element.table, milliseconds: Self.milliseconds(lease),
                isLast: index == filled.count - 1)
        }
        return Switch(batch: filled.isEmpty ? nil : try batch.finish())
    }

    /// Empties the sets; the tables stay, so that all namespaces can be let go before any is cleaned up.
    ///
    /// - Parameter isPause: they are filled again: the sets that tell of our life stay as they are.
    func emptying(isPause: Bool = false) throws(NetworkError) -> Switch {
        var batch = try NftablesBatch("disarm in \(member.name)", nextSequence: socket.nextSequence)
        let sets = plans.flatMap { plan in
            plan.table.sets.filter { !($0.isHeartbeat && isPause) }.map { (plan.table, $0) }
        }
        for (index, (table, set)) in sets.enumerated() {
            try batch.flush(set, of: table, isLast: index == sets.count - 1)
        }
        return Switch(batch: sets.isEmpty ? nil : try batch.finish())
    }

    func commit(_ change: Switch) throws(NetworkError) {
        if let batch = change.batch { try socket.transact(batch) }
    }

    // MARK: Looking

    /// What the rules have counted.
    func counters() throws(NetworkError) -> Counted {
        var sum = before
        for plan in plans { sum = sum + (try NftablesReader.counters(of: plan.table, socket)) }
        return sum
    }

    /// Reads what may have changed; what has, in words, or nil.
    func refresh() throws(NetworkError) -> (change: String, isOtherInterfaces: Bool)? {
        let (all, addresses) = try route.settled { (route) throws(NetworkError) in
            (try NamespaceReader.links(route), try NamespaceReader.addresses(route))
        }
        let links = all.filter { !$0.isLoopback && !TreeMark.isLink($0.index) }
        defer {
            interfaces = links
            member.addresses = addresses
        }
        if links != interfaces {
            let names = links.map(\.name).joined(separator: ", ")
            return ("has the interfaces \(names.isEmpty ? "none" : names)", true)
        }
        guard addresses != member.addresses else { return nil }
        return ("has the addresses \(addresses.map(\.description).joined(separator: ", "))", false)
    }

    /// The tables anew, for the members that there are now, in one transaction; not when they are the same.
    func updateTables(
        _ index: Int, of work: NetworkWork, lease: Span, isOff: Bool
    ) throws(NetworkError) {
        let tables = work.rules.tables(for: index, of: work.members, interfaces: interfaces)
        if tables != plans { try makeTables(tables, lease: lease, isOff: isOff) }
    }

    /// What stands beside the tables belongs to interfaces: when these are others, it has to go and come again. The
    /// sets are empty meanwhile.
    func replaceCompanion(
        _ index: Int, of work: NetworkWork, in space: borrowing NetworkNamespace
    ) throws(NetworkError) {
        guard let old = companion else { return }
        try commit(try emptying())
        companion = nil
        try old.remove()
        companion = try work.rules.companion(for: index, of: work.members, in: space, interfaces: interfaces)
    }

    // MARK: The end

    /// Deletes the tables, much faster than leaving that to the end of the socket, and what stands beside them.
    func delete() throws(NetworkError) {
        let failures = [
            attempt { () throws(NetworkError) in try makeTables([], lease: nil) },
            attempt { () throws(NetworkError) in try companion?.remove() },
        ]
        companion = nil
        if let first = failures.compactMap({ $0 }).first { throw first }
    }

    private func attempt(_ body: () throws(NetworkError) -> Void) -> NetworkError? {
        do throws(NetworkError) {
            try body()
            return nil
        } catch {
            return error
        }
    }
}
