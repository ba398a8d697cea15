import Basics
import Contracts
import Glibc
import Process
import Synchronization

@testable import Network

/// Two namespaces on a cable and the kernel service that cuts it.
struct BlockFixture {
    let pair: TestPair
    let host: LocalHost
    let kernel: LocalNetworkKernel
    let notes = Notes()

    final class Notes: Sendable {
        let list = Mutex<[String]>([])
    }

    init(_ pair: TestPair? = nil) throws {
        self.pair = try pair ?? TestPair()
        host = try LocalHost()
        kernel = try LocalNetworkKernel(host: host)
    }

    func identity(_ space: TestNamespace) throws -> ProcessIdentity {
        let process = try host.process(space.pid)
        return ProcessIdentity(pid: space.pid, startTime: process.startTime, bootID: host.bootID)
    }

    /// What cuts the two off from each other; the parameters say in which namespace and which way.
    func block(
        intoA: Bool = true, intoB: Bool = true, outOfA: Bool = false, traffic: Traffic = Traffic(),
        mode: BlockMode = .drop, mark: String = "test_1"
    ) async throws -> Block {
        let a = try await kernel.look(at: try identity(pair.a))
        let b = try await kernel.look(at: try identity(pair.b))
        func member(_ name: String, _ space: TestNamespace, _ facts: NamespaceFacts) throws -> NamespaceMember {
            NamespaceMember(
                name: name, process: try identity(space), namespace: facts.identity, addresses: facts.addresses)
        }
        return Block(
            mark: mark, run: "test", traffic: traffic, mode: mode,
            members: [try member("a", pair.a, a), try member("b", pair.b, b)],
            cuts: [
                Block.Cut(peers: intoA ? [1] : [], outgoing: outOfA ? b.addresses : []),
                Block.Cut(peers: intoB ? [0] : []),
            ])
    }

    func install(_ block: Block) async throws {
        let notes = notes
        try await kernel.install(block.work) { event in
            notes.list.withLock { list in
                switch event {
                case .lost(let text): list.append(text)
                case .ended(let name, _): list.append("\(name) ended")
                case .followed(let name, _, let change): list.append("\(name) \(change)")
                case .switched(let isOn, _): list.append(isOn ? "on" : "off")
                case .counted, .totals: break
                }
            }
        }
        _ = try await kernel.arm(block.mark)
    }

    /// Which of the four ways (a to b and b to a, of both versions) are open: `a4`, `b4`, `a6`, `b6` by their sender.
    func open(_ block: Block, _ method: ProbePath.Method, within limit: Span = .milliseconds(400)) async throws
        -> Set<String>
    {
        let ends = [(0, 1, TestPair.address4.b, TestPair.address6.b), (1, 0, TestPair.address4.a, TestPair.address6.a)]
        var names: [String] = []
        var paths: [ProbePath] = []
        for (from, to, address4, address6) in ends {
            for (text, version) in [(address4, "4"), (address6, "6")] {
                guard let address = AddressRange(parsing: text) else { continue }
                paths.append(ProbePath(from: from, to: to, address: address, method: method))
                names.append((from == 0 ? "a" : "b") + version)
            }
        }
        return Set(try await kernel.passing(paths, of: block.members, within: limit).map { names[$0] })
    }
}

extension HeldNamespace {
    /// Switches on, for so long, without the kernel service that would renew it.
    func arm(for lease: Span) throws { try commit(try filling(for: lease)) }
}
