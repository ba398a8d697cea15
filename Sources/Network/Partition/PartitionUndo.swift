internal import Basics
internal import Contracts
internal import Glibc

/// What is needed to take a cut back, and to tell what it was.
package struct PartitionUndo: Codable, Sendable, Hashable {
    package var target: String
    package var block: Block
    /// Who is cut off from whom, in words.
    package var layout: String
    /// What chose the sides within one group; nil where they are named.
    package var seed: UInt64?
    /// The process whose sockets keep the block alive: what a person ends when nothing else helps.
    package var owner: Int32

    init(
        _ settings: PartitionSettings, _ target: Target, for kind: String, in context: SystemContext
    ) async throws(FaultError) {
        let layout = try await PartitionLayout(settings, target, for: kind, in: context)
        if settings.killsEstablished, let member = layout.members.first {
            let kernel = try context.services.require((any NetworkKernel).self)
            do throws(NetworkError) {
                try await kernel.checkConnectionsCanBeEnded(of: member.process)
            } catch {
                throw FaultError("end connections", on: member.name, error)
            }
        }
        self.target = target.name
        block = Block(
            mark: NetworkHold.mark(in: context), run: context.run, traffic: settings.traffic, mode: settings.mode,
            members: layout.members, cuts: layout.cuts)
        self.layout = layout.text
        seed = layout.seed
        owner = getpid()
    }

    init(target: String, block: Block, layout: String, seed: UInt64?, owner: Int32) {
        self.target = target
        self.block = block
        self.layout = layout
        self.seed = seed
        self.owner = owner
    }

    static let words =
        "delete our tables; the kernel does so by itself when squall ends, and lifts the block when it hangs"
    static let privileges = ["root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE", "the Docker engine"]

    /// Installs, ends what connections there are when that is wanted, and arms; returns when.
    func begin(
        _ kind: String, killing: Bool, _ kernel: any NetworkKernel, in context: SystemContext
    ) async throws(NetworkError) -> InstantRange {
        try await NetworkHold.begin(block.work, kind, kernel, in: context) { () async throws(NetworkError) in
            guard killing else { return }
            var count = 0
            for (index, member) in block.members.enumerated() {
                let remote = block.others(index)
                if remote.isEmpty { continue }
                let filter = ConnectionFilter(remote: remote, ports: block.traffic.ports)
                count += try await kernel.endConnections(filter, of: member.process).count
            }
            context.record(
                .note(
                    Note(
                        at: context.time.now, source: Label(kind),
                        message: "\(count) ends of TCP connections were closed just before the cut")))
        }
    }

    func leftover(of kind: String, in context: SystemContext) async throws(FaultError) -> Leftover? {
        try await NetworkHold.armed(block.mark, block.members, in: context).map { place in
            Leftover(
                kind: kind, target: target, description: "the table \(block.mark) still stops packets in \(place)",
                commands: manualHeal)
        }
    }

    var manualHeal: [String] { NetworkHold.manualHeal(owner: owner, block.members) }
}
