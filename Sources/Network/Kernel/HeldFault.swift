internal import Basics

/// One fault in all its namespaces, between install and release. Used on the kernel service's thread.
final class HeldFault {
    private(set) var work: NetworkWork
    let report: @Sendable (HoldEvent) -> Void
    /// One per member; nil: its process has ended, and nothing of ours is there.
    private(set) var spaces: [HeldNamespace?]
    /// Since when members are missing, by index.
    private(set) var missing: [Int: Instant] = [:]
    /// Whether the sets have elements now.
    var isOn = false
    /// When the kernel last heard from us.
    var renewedAt = Instant(nanoseconds: 0)
    /// Its lease ran out: it is never filled again.
    var isExpired = false
    var renewal: EventLoop.Timer?
    var switching: EventLoop.Timer?
    /// What the rules of each member had counted at the last look, and in namespaces that it has left.
    private var counted: [Int: Counted] = [:]
    private var earlier: [Int: Counted] = [:]

    init(
        _ work: NetworkWork, report: @escaping @Sendable (HoldEvent) -> Void,
        opening open: (NamespaceMember) throws(NetworkError) -> NetworkNamespace
    ) throws(NetworkError) {
        self.work = work
        self.report = report
        var opened: [HeldNamespace] = []
        do throws(NetworkError) {
            for (index, member) in work.members.enumerated() {
                opened.append(try HeldNamespace(index, of: work, in: try open(member)))
            }
        } catch {
            for space in opened { leavingToTheSocket { () throws(NetworkError) in try space.delete() } }
            throw error
        }
        spaces = opened
    }

    var present: [(index: Int, space: HeldNamespace)] {
        spaces.enumerated().compactMap { index, space in space.map { (index, $0) } }
    }

    // MARK: The switch

    /// All transactions are written first and then sent, so that the namespaces switch close together.
    ///
    /// - Parameter isRenewal: the elements may be there already.
    func fill(for lease: Span, isRenewal: Bool = false, time: any TimeSource) throws(NetworkError) -> InstantRange {
        var switches: [(HeldNamespace, HeldNamespace.Switch)] = []
        for (_, space) in present {
            switches.append(
                (space, try space.filling(for: lease, isRenewal: isRenewal, isOff: isRenewal && !isOn)))
        }
        return try commit(switches, time)
    }

    /// Switches off for a while.
    func pause(time: any TimeSource) throws(NetworkError) -> InstantRange {
        var switches: [(HeldNamespace, HeldNamespace.Switch)] = []
        for (_, space) in present { switches.append((space, try space.emptying(isPause: true))) }
        return try commit(switches, time)
    }

    private func commit(
        _ switches: [(HeldNamespace, HeldNamespace.Switch)], _ time: any TimeSource
    ) throws(NetworkError) -> InstantRange {
        let began = time.now
        for (space, change) in switches { try space.commit(change) }
        return InstantRange(began, time.now)
    }

    // MARK: Members that change

    /// The process of a member has ended: its namespace is let go, which our sockets alone keep alive.
    func drop(_ index: Int, at instant: Instant) {
        guard spaces.indices.contains(index), spaces[index] != nil else { return }
        spaces[index] = nil
        missing[index] = instant
        earlier[index] = counted[index]
    }

    /// A member is back, in another namespace: it gets the fault again, and the others learn its addresses.
    func bring(_ index: Int, _ member: NamespaceMember, in space: borrowing NetworkNamespace, lease: Span)
        throws(NetworkError)
    {
        work.members[index] = member
        let held = try HeldNamespace(index, of: work, in: space)
        try held.commit(try held.filling(for: lease, isOff: !isOn))
        spaces[index] = held
        missing[index] = nil
        try updateOthers(than: index, lease: lease)
    }

    /// Interfaces or addresses of a member have changed where it is; what has, in words, or nil when nothing has.
    func refresh(
        _ index: Int, lease: Span, opening open: (NamespaceMember) throws(NetworkError) -> NetworkNamespace
    ) throws(NetworkError) -> String? {
        guard let space = spaces[index], let (change, isOtherInterfaces) = try space.refresh() else { return nil }
        work.members[index] = space.member
        if isOtherInterfaces { try space.replaceCompanion(index, of: work, in: try open(space.member)) }
        try space.updateTables(index, of: work, lease: lease, isOff: !isOn)
        try space.commit(try space.filling(for: lease, isRenewal: true, isOff: !isOn))
        try updateOthers(than: index, lease: lease)
        return change
    }

    private func updateOthers(than changed: Int, lease: Span) throws(NetworkError) {
        for (index, space) in present where index != changed {
            try space.updateTables(index, of: work, lease: lease, isOff: !isOn)
        }
    }

    // MARK: Evidence

    /// Tells what the rules have counted where that is more than at the last look.
    func sample(at instant: Instant) {
        for (index, space) in present {
            do throws(NetworkError) {
                let sum = try space.counters() + (earlier[index] ?? Counted())
                guard sum != counted[index] ?? Counted() else { continue }
                counted[index] = sum
                report(.counted(space.member.name, sum, at: instant))
            } catch {
                // A namespace that is on its way out counts no more; its end is told by itself.
                continue
            }
        }
    }

    // MARK: The end

    func release(time: any TimeSource) {
        // All first let traffic pass, then all are cleaned up.
        let switches = present.map { (_, space) in (space, written { () throws(NetworkError) in try space.emptying() })
        }
        for (space, change) in switches {
            if let change { leavingToTheSocket { () throws(NetworkError) in try space.commit(change) } }
        }
        sample(at: time.now)
        let totals = work.members.indices.map {
            MemberTotal(name: work.members[$0].name, sum: counted[$0] ?? Counted())
        }
        report(.totals(totals, at: time.now))
        for (_, space) in present { leavingToTheSocket { () throws(NetworkError) in try space.delete() } }
        for index in missing.keys.sorted() {
            report(.lost("\(work.members[index].name) ended while it had the fault, and did not come back"))
        }
    }

    private func written(_ body: () throws(NetworkError) -> HeldNamespace.Switch) -> HeldNamespace.Switch? {
        do throws(NetworkError) {
            return try body()
        } catch {
            return nil
        }
    }
}

/// A request that fails is no failed heal: the socket closes when `release` is over, and the kernel then deletes the
/// tables itself. Whether it did is read back by whoever healed.
private func leavingToTheSocket(_ body: () throws(NetworkError) -> Void) {
    do throws(NetworkError) {
        try body()
    } catch {
        return
    }
}
