import Basics
import Contracts
import Glibc
import Process
import Testing

@testable import Network

/// Two namespaces on a cable, with the services that shape what goes between them. Nothing here knows containers: the undo
/// is made as `prepare` makes it.
struct ShapeFixture {
    let pair: TestPair
    let host: LocalHost
    let kernel: LocalNetworkKernel
    let control: LocalTrafficControl
    let context: SystemContext

    init(_ pair: TestPair? = nil) throws {
        self.pair = try pair ?? TestPair()
        host = try LocalHost()
        kernel = try LocalNetworkKernel(host: host)
        control = try LocalTrafficControl(kernel)
        context = Self.context(kernel, control)
    }

    private static func context(_ kernel: LocalNetworkKernel, _ control: LocalTrafficControl) -> SystemContext {
        var services = Services()
        services.register(kernel, as: (any NetworkKernel).self)
        services.register(control, as: (any TrafficControl).self)
        return SystemContext(
            time: SystemTimeSource(), services: services, secrets: .empty, run: "test", record: { _ in })
    }

    /// What another process sees: the same machine, and none of our sockets.
    func elsewhere() throws -> SystemContext {
        let kernel = try LocalNetworkKernel(host: host)
        return Self.context(kernel, try LocalTrafficControl(kernel))
    }

    func member(_ space: TestNamespace, _ name: String) async throws -> NamespaceMember {
        let process = try host.process(space.pid)
        let identity = ProcessIdentity(pid: space.pid, startTime: process.startTime, bootID: host.bootID)
        let facts = try await kernel.look(at: identity)
        return NamespaceMember(name: name, process: identity, namespace: facts.identity, addresses: facts.addresses)
    }

    /// A fault on `a`, as far as it talks to `b`; or to anybody.
    func undo(towardsAnybody isOpen: Bool = false, mark: String? = nil) async throws -> ShapingUndo {
        let members = [try await member(pair.a, "a"), try await member(pair.b, "b")]
        let number = UInt32.random(in: 0 ... .max)
        return ShapingUndo(
            target: "a", mark: mark ?? "test_shape_\(String(number, radix: 36))", run: "test", tree: .drawn(),
            members: isOpen ? [members[0]] : members, shaped: [0],
            peers: isOpen ? .anybody : .some(members: [1], outside: []), owner: getpid())
    }

    /// Injects, and gives what `body` finds; heals and looks for what is left, whatever happens.
    func with<Kind: ShapingFault>(
        _ fault: Kind, _ undo: ShapingUndo? = nil, _ body: (Effect, ShapingUndo) async throws -> Void
    ) async throws {
        let undo = if let undo { undo } else { try await self.undo() }
        let before = try state()
        try await fault.refuse(undo, in: context)
        #expect(try state() == before, "a look has changed something")
        let effect = try await fault.inject(undo, in: context)
        do {
            try await body(effect, undo)
        } catch {
            try await Kind.heal(undo, in: context)
            throw error
        }
        for _ in 1...2 {
            try await Kind.heal(undo, in: context)
            #expect(try await Kind.leftover(of: undo, in: context) == nil)
            #expect(try state() == before)
        }
    }

    /// What anybody can see of both namespaces: interfaces with their queues, disciplines, tables.
    func state() throws -> [String] {
        try [pair.a, pair.b].flatMap { space in
            let socket = try space.open().netlink(.route)
            let links = try TreeReader.links(socket).map { "\($0.name) \($0.queueLength)" }
            let disciplines = try TreeReader.disciplines(socket).map { "\($0.interface) \($0.kind) \($0.handle)" }
            return links + disciplines + (try space.tables().map(\.name))
        }
    }

    /// A flow from `a` to `b` as an outsider would send it.
    func flow(
        _ count: Int, spacing: Span = .zero, from sender: Int = 0, _ family: AddressFamily = .version4,
        patience: Span = .milliseconds(300), payload: Int = 64, transport: Traffic.TransportProtocol = .udp,
        port: UInt16? = nil
    ) async throws -> Flow {
        let members = [try await member(pair.a, "a"), try await member(pair.b, "b")]
        let receiver = members[1 - sender]
        let address = try #require(receiver.addresses.first { $0.isGlobal(family) })
        return Flow(
            shaped: receiver, way: .arriving(from: members[sender]), transport: transport, port: port,
            destination: address, count: count, spacing: spacing, payload: payload, patience: patience)
    }

    /// Bits per second that arrive when `a` sends 100 Mbit/s to `b` for so long.
    func throughput(_ family: AddressFamily = .version4, for span: Span = .milliseconds(300)) async throws -> Double {
        let socket = try pair.b.open().netlink(.route)
        let before = try Self.received(socket)
        let start = context.time.now
        // The mark is of no tree: only the sending counts here.
        _ = try await control.saturate(
            try await saturation(family), TreeMark(minor: 2, major: 2), at: Bandwidth(bitsPerSecond: 100_000_000),
            for: span)
        let seconds = (context.time.now - start).seconds
        return Double(try Self.received(socket) - before) * 8 / seconds
    }

    func saturation(_ family: AddressFamily = .version4) async throws -> Flow {
        var flow = try await flow(0, family, payload: 1_400)
        flow.shaped = try await member(pair.a, "a")
        flow.way = .leaving
        return flow
    }

    /// Bytes that the cable's far end has received (struct rtnl_link_stats64: packets in and out, then bytes in).
    private static func received(_ socket: NetlinkSocket) throws -> UInt64 {
        let answers = try socket.dump("count", type: 18, header: [UInt8](repeating: 0, count: 16))
        return answers.map { host64(NetlinkReader($0.payload.dropFirst(16))[23] ?? [], at: 16) }.max() ?? 0
    }
}

extension Effect {
    /// What showed it; nil when nothing did.
    var evidence: String? {
        if case .confirmed(_, let evidence) = self { evidence } else { nil }
    }
}

/// A fault as a file would declare it: `delay=100ms jitter=10ms`.
func shaping<Kind: ShapingFault>(_ type: Kind.Type, _ text: String) throws -> Kind {
    let read = ShapeParameterTests.read(type, text)
    return try #require(read.fault, "\(read.findings)")
}
