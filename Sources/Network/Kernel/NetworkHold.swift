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
    static func begin(
        _ work: NetworkWork, _ kernel: any NetworkKernel, in context: SystemContext
    ) async throws(NetworkError) -> InstantRange {
        try await kernel.install(work) { event in
            switch event {
            case .lost(let reason): context.withdraw(reason)
            }
        }
        return try await kernel.arm(work.mark)
    }

    /// Switches it off everywhere and takes it away.
    ///
    /// The sockets live in the controller. In any other process there is nothing to close: the kernel has deleted the
    /// tables with the controller's sockets, or lifts the fault of one that hangs; `armed` waits for that.
    static func end(_ mark: String, in context: SystemContext) async throws(FaultError) {
        await (try context.services.require((any NetworkKernel).self)).release(mark)
    }

    /// A member in which the fault still acts; nil when it does so nowhere.
    ///
    /// A table with nothing in its sets does nothing; it goes with the hung process that it belongs to.
    static func armed(
        _ mark: String, _ members: [NamespaceMember], in context: SystemContext
    ) async throws(FaultError) -> NamespaceMember? {
        let kernel = try context.services.require((any NetworkKernel).self)
        for member in members {
            do throws(NetworkError) {
                if let count = try await kernel.elements(of: mark, in: member), count > 0 { return member }
            } catch {
                throw FaultError("read the rules", on: member.name, error)
            }
        }
        return nil
    }

    /// What a person would type: the kernel heals when the holder ends.
    static func manualHeal(owner: Int32, _ members: [NamespaceMember]) -> [String] {
        ["kill \(owner)"] + members.map { "nsenter --net=/proc/\($0.process.pid)/ns/net nft list ruleset" }
    }
}
