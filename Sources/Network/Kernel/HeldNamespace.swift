internal import Basics
internal import CLinux
internal import Glibc
internal import Process

/// A namespace with our tables in it, alive as long as the socket they belong to.
final class HeldNamespace {
    let member: NamespaceMember
    /// Readable once the process has ended: our socket would keep its dead namespace alive.
    let process: Descriptor
    private let socket: NetlinkSocket
    private let plans: [TablePlan]
    private let companion: (any NamespaceCompanion)?

    /// Opens the socket, builds what stands beside the tables, and makes the tables with empty sets.
    init(_ index: Int, of work: NetworkWork, in space: borrowing NetworkNamespace) throws(NetworkError) {
        member = work.members[index]
        let number = squall_pidfd_open(member.process.pid, 0)
        guard number >= 0 else { throw NetworkError("hold process \(member.process.pid)", errno: errno) }
        process = Descriptor(owning: number)
        socket = try space.netlink(.netfilter)
        let links = try NamespaceReader.links(try space.netlink(.route)).filter { !$0.isLoopback }
        companion = try work.rules.companion(for: index, of: work.members, in: space, interfaces: links)
        // Rules may have to know what their companion has become: the port that it listens on.
        plans = work.rules.tables(for: index, of: work.members, interfaces: links)
        do throws(NetworkError) {
            try create()
        } catch {
            try companion?.remove()
            throw error
        }
    }

    private func create() throws(NetworkError) {
        var batch = try NftablesBatch("install in \(member.name)", nextSequence: socket.nextSequence)
        for (index, plan) in plans.enumerated() {
            try batch.create(plan.table, isLast: index == plans.count - 1)
        }
        if !plans.isEmpty { try socket.transact(try batch.finish()) }
    }

    /// Lets the addresses in, for so long.
    func arm(for lease: Span) throws(NetworkError) { try fill("arm", lease, emptyingFirst: false) }

    /// The same again for addresses that are there: adding one anew extends its time on new kernels only and is ignored
    /// by old ones (6.1), emptying and filling in one transaction works on all and lets no packet through.
    func renew(for lease: Span) throws(NetworkError) { try fill("renew", lease, emptyingFirst: true) }

    private func fill(_ operation: String, _ lease: Span, emptyingFirst: Bool) throws(NetworkError) {
        let milliseconds = UInt64(max(1, lease.nanoseconds / 1_000_000))
        var batch = try NftablesBatch("\(operation) in \(member.name)", nextSequence: socket.nextSequence)
        let filled = plans.flatMap { plan in plan.table.sets.map { (plan, $0) } }
        for (index, (plan, set)) in filled.enumerated() {
            if emptyingFirst { try batch.flush(set, of: plan.table, isLast: false) }
            try batch.add(
                plan.elements[set.name] ?? [], to: set, of: plan.table, milliseconds: milliseconds,
                isLast: index == filled.count - 1)
        }
        if !filled.isEmpty { try socket.transact(try batch.finish()) }
    }

    /// Stops blocking; the tables stay, so that all namespaces can be opened before any is cleaned up.
    func disarm() throws(NetworkError) {
        var batch = try NftablesBatch("disarm in \(member.name)", nextSequence: socket.nextSequence)
        let sets = plans.flatMap { plan in plan.table.sets.map { (plan.table, $0) } }
        for (index, (table, set)) in sets.enumerated() {
            try batch.flush(set, of: table, isLast: index == sets.count - 1)
        }
        if !sets.isEmpty { try socket.transact(try batch.finish()) }
    }

    /// Deletes the tables, much faster than leaving that to the end of the socket, and what stands beside them.
    func delete() throws(NetworkError) {
        let failure = attempt { () throws(NetworkError) in try deleteTables() }
        try companion?.remove()
        if let failure { throw failure }
    }

    private func attempt(_ body: () throws(NetworkError) -> Void) -> NetworkError? {
        do throws(NetworkError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    private func deleteTables() throws(NetworkError) {
        var batch = try NftablesBatch("delete in \(member.name)", nextSequence: socket.nextSequence)
        for (index, plan) in plans.enumerated() {
            try batch.delete(plan.table, isLast: index == plans.count - 1)
        }
        if !plans.isEmpty { try socket.transact(try batch.finish()) }
    }
}
