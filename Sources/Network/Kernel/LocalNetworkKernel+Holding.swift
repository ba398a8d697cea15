package import Basics
internal import Glibc

extension LocalNetworkKernel {
    // MARK: Install, arm, release

    package func install(
        _ work: NetworkWork, report: @escaping @Sendable (HoldEvent) -> Void
    ) throws(NetworkError) {
        let fault = try HeldFault(work, report: report) { (member) throws(NetworkError) in try self.space(of: member) }
        held[work.mark] = fault
        do throws(NetworkError) {
            for (index, space) in fault.present { try watch(space, index, work.mark) }
        } catch {
            release(work.mark)
            throw error
        }
        tellContainers()
    }

    /// The namespace that was found for the member, and no other.
    private func space(of member: NamespaceMember) throws(NetworkError) -> NetworkNamespace {
        let space = try open(member.process)
        guard space.identity == member.namespace else {
            throw NetworkError("\(member.name) has moved to another network namespace", errno: ESTALE)
        }
        return space
    }

    package func arm(_ mark: String) throws(NetworkError) -> InstantRange {
        guard let fault = held[mark] else { throw NetworkError("arm \(mark)", errno: ENOENT) }
        let armed = try fault.fill(for: Self.lease, time: time)
        fault.isOn = true
        fault.renewedAt = armed.lower
        renewLater(mark, at: armed.lower + Self.interval)
        return armed
    }

    package func release(_ mark: String) {
        guard let fault = held.removeValue(forKey: mark) else { return }
        for timer in [fault.renewal, fault.switching] { if let timer { loop.cancel(timer) } }
        for (_, space) in fault.present { unwatch(space) }
        fault.release(time: time)
        tellContainers()
        retire(fault)
    }

    /// A socket that is closed just after its table was deleted waits until every processor has forgotten the table
    /// (synchronize_rcu, 20 ms), and keeps this thread from its deadlines; a little later it does not.
    private func retire(_ fault: HeldFault) {
        retired.append(fault)
        loop.schedule(at: time.now + .milliseconds(200)) { [weak self] in
            self?.assumeIsolated { kernel in
                if !kernel.retired.isEmpty { kernel.retired.removeFirst() }
            }
        }
    }

    // MARK: Renewal

    private func renewLater(_ mark: String, at instant: Instant) {
        held[mark]?.renewal = loop.schedule(at: instant) { [weak self] in self?.assumeIsolated { $0.renew(mark) } }
    }

    /// A lease that ran out stays out: whoever healed in our place, or the kernel, must not be overruled.
    private func renew(_ mark: String) {
        guard let fault = held[mark] else { return }
        let now = time.now
        guard now - fault.renewedAt < Self.lease else { return expire(fault, now) }
        do throws(NetworkError) {
            _ = try fault.fill(for: Self.lease, isRenewal: true, time: time)
            fault.renewedAt = now
        } catch {
            // The next try may still be in time; when none is, the lease has run out, and that is told.
        }
        fault.sample(at: now)
        renewLater(mark, at: now + Self.interval)
    }

    private func expire(_ fault: HeldFault, _ now: Instant) {
        fault.isOn = false
        fault.isExpired = true
        fault.report(.lost("nobody renewed the block for \(now - fault.renewedAt): the kernel lifted it"))
    }

    // MARK: Patterns

    /// The first stretch began with the arming; when it should be over already, it ends now.
    package func alternate(_ mark: String, _ pattern: SwitchPattern, since armed: Instant) throws(NetworkError) {
        guard let fault = held[mark] else { throw NetworkError("switch \(mark)", errno: ENOENT) }
        switchLater(fault, pattern, after: 0, at: max(armed + pattern.span(0), time.now))
    }

    private func switchLater(_ fault: HeldFault, _ pattern: SwitchPattern, after stretch: Int, at instant: Instant) {
        let mark = fault.work.mark
        fault.switching = loop.schedule(at: instant) { [weak self] in
            self?.assumeIsolated { $0.turn(mark, pattern, to: stretch + 1, due: instant) }
        }
    }

    /// Deadlines are absolute: a late switch shortens its stretch and does not move the next.
    private func turn(_ mark: String, _ pattern: SwitchPattern, to stretch: Int, due: Instant) {
        guard let fault = held[mark], !fault.isExpired else { return }
        let isOn = stretch.isMultiple(of: 2)
        if time.now - fault.renewedAt >= Self.lease { return expire(fault, time.now) }
        do throws(NetworkError) {
            fault.isOn = isOn
            let range =
                isOn ? try fault.fill(for: Self.lease, isRenewal: true, time: time) : try fault.pause(time: time)
            if isOn { fault.renewedAt = range.lower }
            fault.report(.switched(isOn: isOn, range))
            if !isOn { fault.sample(at: range.upper) }
        } catch {
            fault.report(.lost("cannot switch \(isOn ? "on" : "off"): \(error)"))
        }
        switchLater(fault, pattern, after: stretch, at: due + pattern.span(stretch))
    }

    // MARK: Members that change

    /// A process that ends is let go at once: our sockets alone would keep its namespace alive. Interfaces and addresses
    /// that change are followed.
    private func watch(_ space: HeldNamespace, _ index: Int, _ mark: String) throws(NetworkError) {
        do throws(SystemError) {
            try loop.watch(space.process.number, for: .readable) { [weak self] _ in
                self?.assumeIsolated { $0.processEnded(index, mark) }
            }
            try loop.watch(space.route.descriptor, for: .readable) { [weak self] _ in
                self?.assumeIsolated { $0.networkChanged(index, mark) }
            }
        } catch {
            unwatch(space)
            throw NetworkError("watch \(space.member.name)", error)
        }
    }

    private func unwatch(_ space: HeldNamespace) {
        loop.unwatch(space.process.number)
        loop.unwatch(space.route.descriptor)
    }

    private func processEnded(_ index: Int, _ mark: String) {
        guard let fault = held[mark], let space = fault.spaces[index] else { return }
        unwatch(space)
        let now = time.now
        fault.drop(index, at: now)
        fault.report(.ended(space.member.name, at: now))
    }

    private func networkChanged(_ index: Int, _ mark: String) {
        guard let fault = held[mark], let space = fault.spaces[index] else { return }
        let noticed = time.now
        space.route.discardChanges()
        do throws(NetworkError) {
            let change = try fault.refresh(index, lease: Self.lease) { (member) throws(NetworkError) in
                try self.space(of: member)
            }
            guard let change else { return }
            fault.report(.followed(space.member.name, without: InstantRange(noticed, time.now), change: change))
        } catch {
            // The namespace of a process that is just ending loses its interfaces first; its end is told by itself.
            if error.code != .notFound {
                fault.report(.lost("the fault does not follow \(space.member.name): \(error)"))
            }
        }
    }

    package func missing() -> [MissingMember] {
        held.values.flatMap { fault in
            fault.missing.compactMap { index, since in
                let member = fault.work.members[index]
                return member.container.map { MissingMember(name: member.name, container: $0, since: since) }
            }
        }
    }

    package func bring(_ member: NamespaceMember, startedAt: Instant) throws(NetworkError) {
        for (mark, fault) in held {
            let indices = fault.missing.keys.filter { fault.work.members[$0].container == member.container }
            for index in indices.sorted() {
                try fault.bring(index, member, in: try space(of: member), lease: Self.lease)
                if let space = fault.spaces[index] { try watch(space, index, mark) }
                fault.report(
                    .followed(member.name, without: InstantRange(startedAt, time.now), change: "runs again"))
            }
        }
    }

    // MARK: Whom to follow

    package func containers() -> AsyncStream<Set<String>> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Set<String>.self, bufferingPolicy: .bufferingNewest(1))
        watchers.append(continuation)
        continuation.yield(heldContainers)
        return stream
    }

    private var heldContainers: Set<String> {
        Set(held.values.flatMap { $0.work.members.compactMap(\.container) })
    }

    private func tellContainers() {
        let all = heldContainers
        for watcher in watchers { watcher.yield(all) }
    }
}
