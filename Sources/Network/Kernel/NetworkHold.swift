internal import Basics
internal import Contracts
internal import Process

/// What all faults that the kernel service holds have in common, from their mark to what is left of them.
enum NetworkHold {
    /// A name for a fault's tables that no other one has: the run's id as far as nf_tables takes it, and the instant.
    static func mark(in context: SystemContext) -> String {
        let run = String(context.run.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }.prefix(64))
        return "\(NetworkTables.prefix)\(run)_\(String(context.time.now.nanoseconds, radix: 36))"
    }

    /// Makes everything, then switches it on in all namespaces; returns when. What happens to it is told to the run.
    ///
    /// - Parameters:
    ///   - kind: the fault's, for the history.
    ///   - ready: done when everything is in place, just before it is switched on.
    static func begin(
        _ work: NetworkWork, _ kind: String, _ kernel: any NetworkKernel, in context: SystemContext,
        ready: () async throws(NetworkError) -> Void = { () throws(NetworkError) in }
    ) async throws(NetworkError) -> InstantRange {
        try await kernel.install(work) { event in record(event, kind, context) }
        try await ready()
        return try await kernel.arm(work.mark)
    }

    private static func record(_ event: HoldEvent, _ kind: String, _ context: SystemContext) {
        func note(_ at: Instant, _ level: Note.Level, _ message: String) {
            context.record(.note(Note(at: at, source: Label(kind), level: level, message: message)))
        }
        switch event {
        case .lost(let reason): context.withdraw(reason)
        case .ended(let name, let at):
            note(at, .warning, "\(name) ended and its network was let go; \(kind) waits for it to run again")
        case .followed(let name, let gap, let change):
            note(
                gap.upper, .warning,
                "\(name) \(change): \(kind) is on it again, after a gap of \(gap.upper - gap.lower) that ends now")
        case .counted(let name, let sum, let at):
            for (metric, value, unit) in [
                ("matched-packets", sum.packets, Measurement.Unit.count), ("matched-bytes", sum.bytes, .bytes),
            ] {
                context.record(
                    .measurement(
                        Measurement(
                            probe: Label(kind), node: Label(name), metric: Label(metric), at: at, value: Double(value),
                            unit: unit)))
            }
        case .totals(let totals, let at):
            let parts = totals.map { "\($0.name) \($0.sum.packets)" }.joined(separator: ", ")
            note(at, .info, "packets that met the rules, read back before they were deleted: \(parts)")
        case .switched(let isOn, let range):
            note(range.upper, .info, "\(isOn ? "on" : "off"), everywhere within \(range.upper - range.lower)")
        }
    }

    /// Switches it off everywhere and takes it away.
    ///
    /// The sockets live in the controller. In any other process there is nothing to close: the kernel has deleted the
    /// tables with the controller's sockets, or lifts the fault of one that hangs; `armed` waits for that.
    static func end(_ mark: String, in context: SystemContext) async throws(FaultError) {
        await (try context.services.require((any NetworkKernel).self)).release(mark)
    }

    /// Where the fault still acts, in words; nil when it does so nowhere.
    ///
    /// The members are looked at first, then every namespace of the machine: a container that was started again has
    /// another one than the undo knows. A table with nothing in its sets does nothing; it goes with the hung process
    /// that it belongs to.
    static func armed(
        _ mark: String, _ members: [NamespaceMember], in context: SystemContext
    ) async throws(FaultError) -> String? {
        let kernel = try context.services.require((any NetworkKernel).self)
        for member in members {
            do throws(NetworkError) {
                if let count = try await kernel.elements(of: mark, in: member), count > 0 { return member.name }
            } catch {
                throw FaultError("read the rules", on: member.name, error)
            }
        }
        do throws(NetworkError) {
            return try await kernel.places(of: mark).first
        } catch {
            throw FaultError("look for the rules", on: "this machine", error)
        }
    }

    /// The namespaces in which something of the fault can be: those that the undo names as long as they are there, and
    /// those that its containers have now.
    static func present(
        _ members: [NamespaceMember], for kind: String, in context: SystemContext
    ) async throws(FaultError) -> [NamespaceMember] {
        let kernel = try context.services.require((any NetworkKernel).self)
        var found: [NamespaceMember] = []
        for member in members {
            if let facts = await facts(member.process, kernel), facts.identity == member.namespace {
                found.append(member)
                continue
            }
            guard let container = member.container else { continue }
            do throws(FaultError) {
                found.append(try await NamespaceMember(name: member.name, container: container, for: kind, in: context))
            } catch {
                // Gone, or without a process: nothing of ours is left with it.
                if error.code != .notFound, error.code != .notApplicable { throw error }
            }
        }
        return found
    }

    private static func facts(_ process: ProcessIdentity, _ kernel: any NetworkKernel) async -> NamespaceFacts? {
        do throws(NetworkError) {
            return try await kernel.look(at: process)
        } catch {
            return nil
        }
    }

    /// What a person would type: the kernel heals when the holder ends.
    static func manualHeal(owner: Int32, _ members: [NamespaceMember]) -> [String] {
        ["kill \(owner)"] + members.map { "nsenter --net=/proc/\($0.process.pid)/ns/net nft list ruleset" }
    }
}
