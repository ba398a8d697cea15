internal import Basics
internal import Glibc
internal import Network
internal import Process
internal import TestSupport

/// The figures, in the order of the table.
struct Figures {
    private let stage: Stage
    private let count: Int
    /// Ten peers of both versions, as the commands get them.
    private let peers: [String]

    init(_ count: Int) throws {
        stage = try Stage()
        self.count = count
        peers = (0..<5).map { "10.0.0.\(2 * $0)" } + (0..<5).map { "fd00::\(2 * $0)" }
    }

    func print() async throws {
        let spaces = try (0..<count).map { _ in try Stage.space() }
        var members: [NamespaceMember] = []
        for space in spaces { members.append(try await stage.member(space.pid)) }
        let one = try await single(members[0])
        let oneByHand = try await byHand(Array(members.prefix(20)))
        line("partition armed on one container", one, oneByHand.cut)
        let many = try await together(members)
        line("partition installed and armed on \(count)", many.whole, oneByHand.cut * Double(count))
        line("first to last of \(count)", many.skew, oneByHand.cut * Double(count))
        line("heal of \(count)", many.heal, oneByHand.heal * Double(count))
        let (ours, theirs) = try await largeSet(members[0])
        line("a set of 10,000 addresses", ours, theirs)
        let (shaped, batch) = try await shaping()
        line("a rate on one container", shaped, batch)
        line("traffic back after SIGKILL", try await afterDeath(), nil)
        withExtendedLifetime(spaces) {}
    }

    private func line(_ name: String, _ ours: Double, _ theirs: Double?) {
        let other = theirs.map { "\($0)" } ?? "null"
        Swift.print("{\"name\": \"\(name)\", \"ours\": \(ours), \"theirs\": \(other)}")
    }

    private func block(_ members: [NamespaceMember], _ addresses: [AddressRange], mark: String) -> Block {
        Block(
            mark: mark, run: "bench", traffic: Traffic(), mode: .drop, members: members,
            cuts: members.map { _ in .init(incoming: addresses) })
    }

    private var ranges: [AddressRange] { peers.compactMap { AddressRange(parsing: $0) } }

    /// Installed and armed: the median of many times, because one alone may have been disturbed.
    private func single(_ member: NamespaceMember) async throws -> Double {
        var all: [Double] = []
        for number in 0..<101 {
            let block = block([member], ranges, mark: "bench_\(number)")
            all.append(
                try await stage.milliseconds {
                    try await stage.kernel.install(block.work) { _ in }
                    _ = try await stage.kernel.arm(block.mark)
                })
            await stage.kernel.release(block.mark)
        }
        return all.sorted()[all.count / 2]
    }

    private func together(_ members: [NamespaceMember]) async throws -> (whole: Double, skew: Double, heal: Double) {
        var best = (whole: Double.infinity, skew: Double.infinity, heal: Double.infinity)
        for number in 0..<5 {
            let block = block(members, ranges, mark: "bench_all_\(number)")
            var skew = 0.0
            let whole = try await stage.milliseconds {
                try await stage.kernel.install(block.work) { _ in }
                let armed = try await stage.kernel.arm(block.mark)
                skew = Double((armed.upper - armed.lower).nanoseconds) / 1e6
            }
            let heal = await stage.milliseconds { await stage.kernel.release(block.mark) }
            if whole < best.whole { best = (whole, skew, heal) }
        }
        return best
    }

    // MARK: What a person would type

    private func script(_ addresses: [String]) -> String {
        let version4 = addresses.filter { !$0.contains(":") }.joined(separator: ", ")
        let version6 = addresses.filter { $0.contains(":") }.joined(separator: ", ")
        let sixes = version6.isEmpty ? "" : "set p6 { type ipv6_addr; elements = { \(version6) } }"
        return """
            table inet cut {
              set p4 { type ipv4_addr; elements = { \(version4) } }
              \(sixes)
              chain in { type filter hook input priority -300;
                iif lo accept
                ip saddr @p4 counter drop
                \(version6.isEmpty ? "" : "ip6 saddr @p6 counter drop")
              }
            }
            """
    }

    /// `nsenter nft -f` and `nsenter nft delete table`, per namespace.
    private func byHand(_ members: [NamespaceMember]) async throws -> (cut: Double, heal: Double) {
        let folder = try TemporaryFolder()
        let file = try folder.write(script(peers), to: "cut.nft")
        let cut = try await stage.milliseconds {
            for member in members { try nft(member, "-f", file) }
        }
        let heal = try await stage.milliseconds {
            for member in members { try nft(member, "delete", "table", "inet", "cut") }
        }
        return (cut / Double(members.count), heal / Double(members.count))
    }

    private func nft(_ member: NamespaceMember, _ arguments: String...) throws {
        try ChildProcess.run(["nsenter", "--net=/proc/\(member.process.pid)/ns/net", "nft"] + arguments)
    }

    private func largeSet(_ member: NamespaceMember) async throws -> (Double, Double) {
        let texts = (0..<10_000).map { "10.1.\($0 / 250).\($0 % 250)" }
        // Every second address, so that none can be joined with its neighbour.
        let spread = (0..<10_000).map { "10.\(1 + $0 / 12_500).\($0 / 125).\($0 % 125 * 2)" }
        let addresses = spread.compactMap { AddressRange(parsing: $0) }
        let block = block([member], addresses, mark: "bench_large")
        try await stage.kernel.install(block.work) { _ in }
        let ours = try await stage.milliseconds { _ = try await stage.kernel.arm(block.mark) }
        await stage.kernel.release(block.mark)
        let folder = try TemporaryFolder()
        let file = try folder.write(script(texts), to: "large.nft")
        let theirs = try await stage.milliseconds { try nft(member, "-f", file) }
        try nft(member, "delete", "table", "inet", "cut")
        return (ours, theirs)
    }

    /// A link of 10 Mbit/s, set up and switched on; `nsenter tc -batch` beside it. Medians.
    private func shaping() async throws -> (Double, Double) {
        let ends = try Stage.cable()
        let members = [try await stage.member(ends[0].pid), try await stage.member(ends[1].pid)]
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "qdisc add dev eth0 root tbf rate 10mbit burst 12500 latency 100ms\n", to: "rate.batch")
        let enter = ["nsenter", "--net=/proc/\(ends[0].pid)/ns/net", "tc"]
        var impairment = Impairment()
        impairment.rate = Bandwidth(bitsPerSecond: 10_000_000)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        var generator = SystemRandomNumberGenerator()
        for number in 0..<21 {
            let tree = TreeMark(using: &generator)
            let rules = ShapedMembers(
                name: "bench_rate_\(number)", comment: "bench", mark: tree, impairment: impairment,
                direction: .egress, traffic: Traffic(), shaped: [0], peers: .some(members: [1], outside: []))
            let work = rules.work(run: "bench", members)
            ours.append(
                try await stage.milliseconds {
                    try await stage.kernel.install(work) { _ in }
                    _ = try await stage.kernel.arm(work.mark)
                })
            await stage.kernel.release(work.mark)
            try await LocalTrafficControl(stage.kernel).remove(tree)
            theirs.append(try await stage.milliseconds { try ChildProcess.run(enter + ["-batch", file]) })
            try ChildProcess.run(enter + ["qdisc", "del", "dev", "eth0", "root"])
        }
        withExtendedLifetime(ends) {}
        return (ours.sorted()[ours.count / 2], theirs.sorted()[theirs.count / 2])
    }

    // MARK: Death

    /// From the SIGKILL of another process that owns the cut to the first datagram that arrives.
    private func afterDeath() async throws -> Double {
        let ends = try Stage.cable()
        let block = try await stage.pair(ends.map(\.pid))
        let paths = [ProbePath(from: 0, to: 1, address: block.members[1].addresses[0], method: .datagram)]
        let owner = try ChildProcess([CommandLine.arguments[0], "own", "\(ends[0].pid)", "\(ends[1].pid)"])
        guard owner.line() == "armed" else { throw SystemError("own", errno: ECHILD) }
        guard try await stage.kernel.passing(paths, of: block.members, within: .milliseconds(60)).isEmpty else {
            throw SystemError("cut", errno: EINVAL)
        }
        let after = try await stage.milliseconds {
            kill(owner.pid, SIGKILL)
            while try await stage.kernel.passing(paths, of: block.members, within: .milliseconds(3)).isEmpty {}
        }
        withExtendedLifetime((ends, owner)) {}
        return after
    }
}
