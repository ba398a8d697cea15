internal import Basics
internal import Contracts
internal import Docker
internal import Process

/// One group of a partition, as `prepare` found it: namespaces of containers here, and addresses of others.
struct PartitionSide {
    struct Space {
        var name: String
        var process: ProcessIdentity
        var facts: NamespaceFacts
    }

    private(set) var spaces: [Space] = []
    private(set) var outside: [AddressRange] = []

    /// Looks every member up; containers that share a network namespace count as one.
    init(_ side: TargetSide, in context: SystemContext) async throws(FaultError) {
        for target in side.members {
            if let text = target.attributes[.addresses] {
                outside += try Self.ranges(text, of: target.name)
                continue
            }
            let space = try await Self.space(target, in: context)
            if !spaces.contains(where: { $0.facts.identity == space.facts.identity }) { spaces.append(space) }
        }
        outside = AddressRange.merged(outside)
    }

    /// By which the other side knows the group.
    var addresses: [AddressRange] { AddressRange.merged(outside + spaces.flatMap { $0.facts.addresses }) }

    /// The group's own namespaces as members of the block.
    ///
    /// What arrives is stopped where it arrives; what leaves is stopped here only when its receiver is not ours.
    func members(facing other: PartitionSide, isReceiving: Bool, isSending: Bool) -> [Block.Member] {
        spaces.map { space in
            Block.Member(
                name: space.name, process: space.process, namespace: space.facts.identity,
                addresses: space.facts.addresses, incoming: isReceiving ? other.addresses : [],
                outgoing: isSending ? other.outside : [])
        }
    }

    private static func ranges(_ text: String, of target: String) throws(FaultError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for part in text.split(separator: ",") {
            guard let range = AddressRange(describedBy: String(part)) else {
                throw FaultError(.notApplicable, "'\(part)' of '\(target)' is no address")
            }
            ranges.append(range)
        }
        return ranges
    }

    private static func space(_ target: Target, in context: SystemContext) async throws(FaultError) -> Space {
        let process = try await containerProcess(target, in: context)
        let kernel = try context.services.require((any NetworkKernel).self)
        let facts: NamespaceFacts
        do throws(NetworkError) {
            facts = try await kernel.look(at: process)
        } catch {
            throw FaultError("look at the network", on: target.name, error)
        }
        guard !facts.addresses.isEmpty else {
            throw FaultError(
                .notApplicable, "container \(target.name) has no address but loopback: nothing can be cut off from it")
        }
        return Space(name: target.name, process: process, facts: facts)
    }

    /// The container's init process, proven to be one of this machine.
    private static func containerProcess(
        _ target: Target, in context: SystemContext
    ) async throws(FaultError) -> ProcessIdentity {
        guard let id = target.attributes[.containerID] else {
            throw FaultError(
                .notApplicable, "network.partition needs containers or addresses; '\(target.name)' is neither",
                advice: "name the node as its container is named, or write addresses: {list: [..]}")
        }
        let engine = try context.services.require((any ContainerEngine).self)
        let details = try await engine.inspect(id)
        guard details.state == .running, details.pid > 0 else {
            throw FaultError(
                .notApplicable,
                "container \(details.name) does not run (\(details.state.text)), network.partition needs it to",
                advice: details.state == .paused ? "docker unpause \(details.name)" : "docker start \(details.name)")
        }
        guard details.document["HostConfig"]?["NetworkMode"]?.string != "host" else {
            throw FaultError(
                .notApplicable, "container \(details.name) has the machine's own network: every process would be hit",
                advice: "select containers with a network of their own")
        }
        let groups = try context.services.require((any ControlGroups).self)
        let host = try context.services.require((any Host).self)
        do throws(SystemError) {
            if engine.mayBeLocal, try groups.contains(details.pid, container: details.id) {
                let process = try host.process(details.pid)
                return ProcessIdentity(pid: details.pid, startTime: process.startTime, bootID: host.bootID)
            }
        } catch {
            throw FaultError(.notFound, "container \(details.name) has no process", underlying: error)
        }
        throw FaultError(
            .notApplicable, "container \(details.name) does not run on this machine's kernel",
            advice: "run squall on the machine of the engine \(engine.address)")
    }
}
