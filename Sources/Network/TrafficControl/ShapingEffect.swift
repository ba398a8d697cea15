internal import Basics
internal import Contracts

/// Shows what a shaping fault does, by packets of our own through every member that it shapes.
struct ShapingEffect {
    let rules: ShapedMembers
    let members: [NamespaceMember]
    let control: any TrafficControl

    /// Documentation's own groups (RFC 6676): nobody listens, and no neighbour has to be found.
    private static let nobody = [
        AddressRange(.version4, [233, 252, 0, 1]),
        AddressRange(.version6, [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0x0d, 0xb8, 0, 0, 0, 1]),
    ]

    /// A flow with what it looked like before the fault.
    struct Trial {
        var flow: Flow
        var passes: Int
        var before: FlowObservation
    }

    /// The flows that show the fault, tried before it is there. Throws in words when there is none for some member.
    func trials() async throws(NetworkError) -> (trials: [Trial], silence: String?) {
        var trials: [Trial] = []
        for index in rules.shaped {
            let member = members[index]
            var silence: String?
            var isSeen = false
            for (flow, passes) in try await flows(of: member) {
                var sample = flow
                sample.count = 20
                sample.spacing = .milliseconds(1)
                sample.patience = .milliseconds(250)
                do throws(NetworkError) {
                    let before = try await control.measure(sample)
                    if before.lost * 5 <= before.sent {
                        trials.append(Trial(flow: flow, passes: passes, before: before))
                        isSeen = true
                    } else {
                        silence =
                            "only \(before.sent - before.lost) of \(before.sent) packets get through between "
                            + "\(member.name) and \(flow.destination) without the fault"
                    }
                } catch {
                    silence = "\(member.name): \(error)"
                }
            }
            if !isSeen {
                return ([], silence ?? "squall has no packet of its own that \(member.name) would send or receive")
            }
        }
        return (trials, nil)
    }

    /// What shows the effect, or why it is not shown.
    func judge(_ trials: [Trial]) async throws(NetworkError) -> EffectJudge.Finding {
        var parts = trials.map { _ in [String]() }
        let isRateOnly =
            rules.impairment.rate != nil && !rules.impairment.needsNetem && rules.impairment.loss.share == 0
        for (index, trial) in trials.enumerated() where !isRateOnly {
            let judge = EffectJudge(impairment: rules.impairment, passes: trial.passes)
            switch judge.judge(trial.before, try await control.measure(trial.flow)) {
            case .shown(let text): parts[index].append(text)
            case .missing(let text): return .missing("\(trial.flow.name): \(text)")
            }
        }
        // Last: what fills the link stands in the way of every other packet until it has drained.
        if let rate = rules.impairment.rate {
            for (index, trial) in trials.enumerated() {
                switch try await self.rate(trial.flow, rate) {
                case .shown(let text): parts[index].append(text)
                case .missing(let text): return .missing("\(trial.flow.name): \(text)")
                }
            }
        }
        let shown = zip(trials, parts).map { "\($0.flow.name): \($1.joined(separator: ", "))" }
        return .shown(shown.joined(separator: "; "))
    }

    private func rate(_ flow: Flow, _ rate: Bandwidth) async throws(NetworkError) -> EffectJudge.Finding {
        var flow = flow
        flow.payload = 1_400
        // A slow link needs time to show its rate: some twenty packets.
        let span = Span(seconds: min(5, max(0.4, 40 * 1_460 * 8 / Double(rate.bitsPerSecond))))
        // Twice what passes, of what is not lost before it gets there.
        let pace = Bandwidth(
            bitsPerSecond: Int64(2 * Double(rate.bitsPerSecond) / max(0.01, 1 - rules.impairment.loss.share)))
        let leaves = try await control.saturate(flow, rules.mark, at: pace, for: span)
        // Answers to questions that went through the same limit: both leaves have counted, and none was idle before.
        if flow.way == .echo, rules.direction == .both {
            let text = "\(leaves.count) leaves have counted questions and answers"
            return leaves.count > 1 ? .shown(text) : .missing(text)
        }
        guard let measured = leaves.first, measured.span * 4 >= span else {
            return .missing("squall's own packets could not fill \(rate)")
        }
        let text = "\(Bandwidth(bitsPerSecond: Int64(measured.bitsPerSecond))) for \(rate)"
        let isNear = abs(measured.bitsPerSecond / Double(rate.bitsPerSecond) - 1) < 0.1
        return isNear ? .shown("rate \(text)") : .missing("rate \(text)")
    }

    // MARK: Flows

    private func flows(of member: NamespaceMember) async throws(NetworkError) -> [(Flow, Int)] {
        guard let transport = Traffic.TransportProtocol.allCases.sorted(by: order).first(where: rules.traffic.includes)
        else { return [] }
        let gateways = try await control.gateways(of: member)
        var flows: [(Flow, Int)] = []
        for family in AddressFamily.allCases where member.addresses.contains(where: { $0.isGlobal(family) }) {
            if rules.direction.hasEgress, let target = destination(family, gateways) {
                flows.append((flow(member, .leaving, transport, target), 1))
            }
            if rules.direction.hasIngress, let arriving = arriving(member, family, transport, gateways) {
                flows.append(arriving)
            }
        }
        return flows
    }

    /// UDP first: nobody keeps a state for it.
    private func order(_ left: Traffic.TransportProtocol, _ right: Traffic.TransportProtocol) -> Bool {
        let ranks: [Traffic.TransportProtocol] = [.udp, .tcp, .icmp]
        return ranks.firstIndex(of: left) ?? 0 < ranks.firstIndex(of: right) ?? 0
    }

    /// An address that the rules match and to which packets leave at once.
    private func destination(_ family: AddressFamily, _ gateways: [AddressRange]) -> AddressRange? {
        let gateway = gateways.first { $0.family == family }
        guard let peers = rules.peers.ranges(members) else {
            return gateway ?? Self.nobody.first { $0.family == family }
        }
        if let gateway, peers.contains(where: { $0.overlaps(gateway) }) { return gateway }
        return peers.filter { $0.isGlobal(family) }.map { $0.isSingle ? $0 : $0.oneOfIts }.first
    }

    private func arriving(
        _ member: NamespaceMember, _ family: AddressFamily, _ transport: Traffic.TransportProtocol,
        _ gateways: [AddressRange]
    ) -> (Flow, Int)? {
        if case .some(let indices, _) = rules.peers,
            let peer = indices.map({ members[$0] }).first(where: { $0.addresses.contains { $0.isGlobal(family) } }),
            let own = member.addresses.first(where: { $0.isGlobal(family) })
        {
            return (flow(member, .arriving(from: peer), transport, own), 1)
        }
        // Somebody has to answer: whoever else is meant, or the next hop.
        guard rules.traffic.includes(.icmp), let target = destination(family, gateways), !target.isMulticast else {
            return nil
        }
        return (flow(member, .echo, .icmp, target), rules.direction == .both ? 2 : 1)
    }

    private func flow(
        _ member: NamespaceMember, _ way: Flow.Way, _ transport: Traffic.TransportProtocol, _ target: AddressRange
    ) -> Flow {
        let plan = EffectPlan(rules.impairment)
        let passes: Int64 = way == .echo && rules.direction == .both ? 2 : 1
        return Flow(
            shaped: member, way: way, transport: transport, port: rules.traffic.ports.first?.first,
            destination: target, count: plan.count, spacing: plan.spacing, payload: plan.payload,
            patience: plan.patience * passes, quiet: plan.quiet)
    }
}

extension Flow {
    /// `web-1 to 172.17.0.1`
    var name: String {
        switch way {
        case .leaving: "\(shaped.name) to \(destination)"
        case .arriving(let peer): "\(peer.name) to \(shaped.name) \(destination)"
        case .echo: "\(shaped.name) asking \(destination)"
        }
    }
}

extension AddressRange {
    /// Of this version and no neighbour's address on one cable.
    func isGlobal(_ family: AddressFamily) -> Bool { self.family == family && !isLinkLocal }

    /// An address of a block that is not the block's own name, its first one.
    var oneOfIts: AddressRange {
        var bytes = first
        bytes[bytes.count - 1] |= 1
        return AddressRange(family, bytes)
    }
}
