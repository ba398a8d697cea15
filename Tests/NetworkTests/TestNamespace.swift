import Basics
import CLinux
import Glibc
import TestSupport
import Testing

@testable import Network

/// Making namespaces needs root: elsewhere these tests are skipped, and say so.
let isRoot = geteuid() == 0
let needsRoot: Comment = "makes network namespaces: run as root"

/// A network namespace with one process in it; both end with the test.
final class TestNamespace: Sendable {
    private let process: ChildProcess?
    let pid: Int32

    init() throws {
        let process = try ChildProcess([
            "unshare", "--net", "sh", "-c", "ip link set lo up; echo ready; exec sleep 600",
        ])
        _ = process.line()
        self.process = process
        pid = process.pid
    }

    /// The namespace of a process that somebody else started and ends.
    init(of pid: Int32) {
        process = nil
        self.pid = pid
    }

    func open() throws -> NetworkNamespace { try NetworkNamespace(ofProcess: pid) }

    /// Runs a program in the namespace and returns its output.
    @discardableResult
    func run(_ arguments: String...) throws -> String {
        try ChildProcess.run(["nsenter", "--net=/proc/\(pid)/ns/net"] + arguments)
    }

    /// The tables of the namespace, read through a socket of its own.
    func tables() throws -> [NftablesReader.Table] { try NftablesReader.tables(try open().netlink(.netfilter)) }

    func kill() { Glibc.kill(pid, SIGKILL) }
}

/// Two namespaces with a cable between them: 10.9.0.1 and fd09::1 in `a`, 10.9.0.2 and fd09::2 in `b`.
struct TestPair {
    let a: TestNamespace
    let b: TestNamespace

    static let address4 = (a: "10.9.0.1", b: "10.9.0.2")
    static let address6 = (a: "fd09::1", b: "fd09::2")

    /// Namespaces that have their cable already.
    init(a: TestNamespace, b: TestNamespace) {
        self.a = a
        self.b = b
    }

    init() throws {
        a = try TestNamespace()
        b = try TestNamespace()
        try ChildProcess.run([
            "ip", "link", "add", "eth0", "netns", "\(a.pid)", "type", "veth", "peer", "name", "eth0", "netns",
            "\(b.pid)",
        ])
        for space in [a, b] {
            // No search for duplicates, which takes seconds in which an address is there and does not answer yet.
            let settings = "/proc/sys/net/ipv6/conf/eth0"
            try space.run("sh", "-c", "echo 0 >\(settings)/accept_dad && echo 0 >\(settings)/dad_transmits")
        }
        for (space, end) in [(a, "1"), (b, "2")] {
            try space.run("ip", "addr", "add", "10.9.0.\(end)/24", "dev", "eth0")
            try space.run("ip", "addr", "add", "fd09::\(end)/64", "dev", "eth0", "nodad")
            try space.run("ip", "link", "set", "eth0", "up")
        }
        // The kernel gives link-local addresses once both ends are up; one that came later would be news to who watches.
        let settled = try eventually(within: .seconds(10)) {
            try [a, b].allSatisfy { try $0.run("ip", "-6", "-o", "addr", "show", "dev", "eth0").contains("fe80:") }
        }
        try #require(settled.holds)
    }
}

/// Looks until `condition` holds or the time is over; returns whether it came to hold, and after how long.
func eventually(within limit: Span, _ condition: () throws -> Bool) rethrows -> (holds: Bool, after: Span) {
    let start = squall_boottime()
    while true {
        let holds = try condition()
        let after = Span.nanoseconds(squall_boottime() - start)
        if holds || after >= limit { return (holds, after) }
        usleep(500)
    }
}
