internal import Basics
internal import Contracts
internal import Glibc
internal import Network
internal import Process
internal import TestSupport

/// The kernel service, and namespaces to try it in.
struct Stage {
    let host: LocalHost
    let kernel: LocalNetworkKernel
    let time = SystemTimeSource()

    init() throws {
        host = try LocalHost()
        kernel = try LocalNetworkKernel(host: host)
    }

    /// A process in a network namespace of its own.
    static func space() throws -> ChildProcess {
        let process = try ChildProcess([
            "unshare", "--net", "sh", "-c", "ip link set lo up; echo ready; exec sleep 600",
        ])
        _ = process.line()
        return process
    }

    /// Two namespaces on a cable: 10.9.0.1 and 10.9.0.2.
    static func cable() throws -> [ChildProcess] {
        let ends = [try space(), try space()]
        try ChildProcess.run([
            "ip", "link", "add", "eth0", "netns", "\(ends[0].pid)", "type", "veth", "peer", "name", "eth0", "netns",
            "\(ends[1].pid)",
        ])
        for (index, end) in ends.enumerated() {
            let enter = ["nsenter", "--net=/proc/\(end.pid)/ns/net", "ip"]
            try ChildProcess.run(enter + ["addr", "add", "10.9.0.\(index + 1)/24", "dev", "eth0"])
            try ChildProcess.run(enter + ["link", "set", "eth0", "up"])
        }
        return ends
    }

    func member(_ pid: Int32) async throws -> NamespaceMember {
        let process = ProcessIdentity(
            pid: pid, startTime: try host.process(pid).startTime, bootID: host.bootID)
        let facts = try await kernel.look(at: process)
        return NamespaceMember(
            name: "n\(pid)", process: process, namespace: facts.identity, addresses: facts.addresses)
    }

    /// Each cut off from the other.
    func pair(_ pids: [Int32]) async throws -> Block {
        var members: [NamespaceMember] = []
        for pid in pids { members.append(try await member(pid)) }
        return Block(
            mark: "bench_own", run: "bench", traffic: Traffic(), mode: .drop, members: members,
            cuts: [.init(peers: [1]), .init(peers: [0])])
    }

    func milliseconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = time.now
        try await body()
        return Double((time.now - start).nanoseconds) / 1e6
    }
}
