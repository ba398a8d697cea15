internal import Basics
package import Contracts
internal import Docker
internal import Process

extension NamespaceMember {
    /// The namespace of a target's container, as it is now. Refuses what is not on this machine's kernel, and the
    /// machine's own network.
    ///
    /// - Parameter kind: the fault's, for messages.
    init(_ target: Target, for kind: String, in context: SystemContext) async throws(FaultError) {
        guard let id = target.attributes[.containerID] else {
            throw FaultError(
                .notApplicable, "\(kind) needs containers or addresses; '\(target.name)' is neither",
                advice: "name the node as its container is named, or write addresses: {list: [..]}")
        }
        try await self.init(name: target.name, container: id, for: kind, in: context)
    }

    /// The same for a container of this id.
    package init(
        name: String, container id: String, for kind: String, in context: SystemContext
    ) async throws(FaultError) {
        let process = try await Self.process(of: id, for: kind, in: context)
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            let facts = try await kernel.look(at: process)
            self.init(
                name: name, container: id, process: process, namespace: facts.identity, addresses: facts.addresses)
        } catch {
            throw FaultError("look at the network", on: name, error)
        }
    }

    /// The container's init process, proven to be one of this machine.
    private static func process(
        of id: String, for kind: String, in context: SystemContext
    ) async throws(FaultError) -> ProcessIdentity {
        let engine = try context.services.require((any ContainerEngine).self)
        let details = try await engine.inspect(id)
        guard details.state == .running, details.pid > 0 else {
            throw FaultError(
                .notApplicable,
                "container \(details.name) does not run (\(details.state.text)), \(kind) needs it to",
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
