package import Basics
package import Contracts
internal import Glibc
internal import Process

/// A fault that makes a way through the network worse. The kinds differ in what they call it; everything else is here.
///
/// A queueing tree does not die with the process that made it. Ours does nothing by itself: packets reach its leaves only
/// through a table of nf_tables that belongs to our socket, so that the effect ends with squall, however that ends. What is
/// left of the tree is found by its mark and taken down.
package protocol ShapingFault: Fault where Undo == ShapingUndo {
    var impairment: Impairment { get }
    var direction: FlowDirection { get }
    var traffic: Traffic { get }
}

/// What a heal needs to find everything of one shaping fault again.
package struct ShapingUndo: Codable, Sendable, Hashable {
    package var target: String
    /// Name of the tables.
    package var mark: String
    package var run: String
    /// Mark of the trees and links.
    package var tree: TreeMark
    package var members: [NamespaceMember]
    /// Indices of the members whose packets are meant.
    package var shaped: [Int]
    package var peers: ShapePeers
    /// The process whose sockets keep the effect alive.
    package var owner: Int32
}

extension ShapingFault {
    package static var requires: Set<Target.Attribute> { [] }
    package static var targeting: Targeting { .either }
    package var persistence: Persistence { .untilHealed }

    package func plan(for target: Target) -> PlannedOperation {
        let sides = target.sides.map { side in side.members.map(\.name).joined(separator: ", ") }
        let who = sides.count == 2 ? "\(sides[0]) towards \(sides[1])" : target.name
        let way = direction == .both ? "egress and ingress" : direction.rawValue
        return PlannedOperation(
            operation: "\(impairment.summary) for \(traffic.summary) of \(who), \(way) (queueing tree and nf_tables in "
                + "the container's network namespace)",
            undo: "delete our tables, then our tree by its handle; the kernel ends the effect itself when squall ends",
            privileges: [
                "root, or CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_PTRACE", "the Docker engine",
            ])
    }

    // MARK: Prepare

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> ShapingUndo {
        var undo = ShapingUndo(
            target: target.name, mark: NetworkHold.mark(in: context), run: context.run, tree: .drawn(), members: [],
            shaped: [], peers: .anybody, owner: getpid())
        if target.sides.count == 2 {
            let (a, b) = (try await side(target.sides[0], in: context), try await side(target.sides[1], in: context))
            try refuseOverlap(a, b)
            undo.members = a.members + b.members
            undo.shaped = Array(a.members.indices)
            undo.peers = .some(members: b.members.indices.map { $0 + a.members.count }, outside: b.outside)
        } else {
            undo.members = [try await NamespaceMember(target, for: Self.kind, in: context)]
            undo.shaped = [0]
        }
        guard !undo.shaped.isEmpty else {
            throw FaultError(
                .notApplicable, "\(Self.kind) acts in containers, and '\(target.name)' names none to act on",
                advice: "select containers as the target, or on side a")
        }
        for index in undo.shaped where undo.members[index].addresses.isEmpty {
            throw FaultError(
                .notApplicable, "container \(undo.members[index].name) has no address but loopback: it has no network",
                advice: "select containers with a network")
        }
        try await refuse(undo, in: context)
        return undo
    }

    private typealias Side = (members: [NamespaceMember], outside: [AddressRange])

    private func side(_ side: TargetSide, in context: SystemContext) async throws(FaultError) -> Side {
        var found: Side = ([], [])
        for target in side.members {
            if let text = target.attributes[.addresses] {
                found.outside += text.split(separator: ",").compactMap { AddressRange(describedBy: String($0)) }
                continue
            }
            let member = try await NamespaceMember(target, for: Self.kind, in: context)
            if !found.members.contains(where: { $0.namespace == member.namespace }) { found.members.append(member) }
        }
        return found
    }

    private func refuseOverlap(_ a: Side, _ b: Side) throws(FaultError) {
        for left in a.members {
            guard let right = b.members.first(where: { $0.namespace == left.namespace }) else { continue }
            throw FaultError(
                .notApplicable, "\(left.name) and \(right.name) share one network: no packet goes between them",
                advice: "choose groups that do not overlap")
        }
        if let first = a.outside.first {
            throw FaultError(
                .notApplicable, "\(first) is on side a, where the fault acts, and is no container",
                advice: "swap the sides: what a sends to b is egress, what it receives is ingress")
        }
    }

    /// Everything that would fail later, or hit somebody else.
    func refuse(_ undo: ShapingUndo, in context: SystemContext) async throws(FaultError) {
        let control = try context.services.require((any TrafficControl).self)
        let request = ShapeRequest(rules(undo))
        for index in undo.shaped {
            let member = undo.members[index]
            let obstacle: ShapeObstacle?
            do throws(NetworkError) {
                obstacle = try await control.obstacle(to: request, in: member, of: undo.members)
            } catch {
                throw FaultError("look at the queueing disciplines", on: member.name, error)
            }
            switch obstacle {
            case .foreign(let text):
                throw FaultError(
                    .foreignState, "\(text); it is not ours and is left alone",
                    advice:
                        "nsenter --net=/proc/\(member.process.pid)/ns/net tc qdisc show; remove it, or take another target"
                )
            case .conflict(let text):
                throw FaultError(
                    .notApplicable, text,
                    advice: "squall heal, or combine them in one network.impair, or let them select different packets")
            case nil: continue
            }
        }
        do throws(NetworkError) {
            try await control.rehearse(request)
        } catch {
            throw KernelFeature.refusal(of: Self.kind, error)
        }
    }

    // MARK: Inject

    package func inject(_ undo: ShapingUndo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        let control = try context.services.require((any TrafficControl).self)
        let effect = ShapingEffect(rules: rules(undo), members: undo.members, control: control)
        do throws(NetworkError) {
            let (trials, silence) = try await effect.trials()
            try await control.claim(undo.mark, ShapeRequest(rules(undo)), undo.members)
            let armed = try await NetworkHold.begin(
                rules(undo).work(run: undo.run, undo.members), Self.kind, kernel, in: context)
            for index in undo.shaped {
                let member = undo.members[index]
                let count = try await kernel.elements(of: undo.mark, in: member) ?? 0
                if count == 0 { return .unproven("no packet of \(member.name) is led into the tree") }
            }
            if let silence { return .unproven(silence) }
            switch try await effect.judge(trials) {
            case .shown(let text): return .confirmed(armed, evidence: "rules and trees are read back; \(text)")
            case .missing(let text): return .unproven(text)
            }
        } catch {
            throw FaultError("shape the network", on: undo.target, error)
        }
    }

    func rules(_ undo: ShapingUndo) -> ShapedMembers {
        ShapedMembers(
            name: undo.mark, comment: NetworkTables.comment + undo.run, mark: undo.tree, impairment: impairment,
            direction: direction, traffic: traffic, shaped: undo.shaped, peers: undo.peers)
    }

    // MARK: Heal

    package static func heal(_ undo: ShapingUndo, in context: SystemContext) async throws(FaultError) {
        try await NetworkHold.end(undo.mark, in: context)
        // A controller that hangs still has its tables, until its lease runs out. Packets that these send to a link of
        // ours would be lost without it: the link stays until then, and whoever heals comes back.
        guard try await NetworkHold.armed(undo.mark, undo.members, in: context) == nil else { return }
        let control = try context.services.require((any TrafficControl).self)
        do throws(NetworkError) {
            try await control.remove(undo.tree)
        } catch {
            throw FaultError("take the queueing tree down", on: undo.target, error)
        }
    }

    package static func leftover(
        of undo: ShapingUndo, in context: SystemContext
    ) async throws(FaultError) -> Leftover? {
        func leftover(_ text: String) -> Leftover {
            Leftover(kind: kind, target: undo.target, description: text, commands: manualHeal(undo))
        }
        if let place = try await NetworkHold.armed(undo.mark, undo.members, in: context) {
            return leftover("the table \(undo.mark) still leads packets of \(place) into a queueing tree")
        }
        let control = try context.services.require((any TrafficControl).self)
        do throws(NetworkError) {
            let parts = try await control.parts(of: undo.tree)
            return parts.isEmpty
                ? nil : leftover("a queueing tree without effect is left: \(parts.joined(separator: ", "))")
        } catch {
            throw FaultError("read the queueing disciplines", on: undo.target, error)
        }
    }

    package static func manualHeal(_ undo: ShapingUndo) -> [String] {
        let looks = undo.shaped.map { index in
            let enter = "nsenter --net=/proc/\(undo.members[index].process.pid)/ns/net"
            return "\(enter) tc qdisc del dev eth0 root handle c4a5:; \(enter) ip -brief link show type ifb"
        }
        return ["kill \(undo.owner)"] + looks
    }

    /// Nothing is accepted for later: a request to the kernel is carried out when it is sent.
    package static func lateEffect(of undo: ShapingUndo) -> Span { .zero }
}

extension TreeMark {
    /// One that nothing else has.
    static func drawn() -> TreeMark {
        var generator = SystemRandomNumberGenerator()
        return TreeMark(using: &generator)
    }
}
