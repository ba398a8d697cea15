internal import Basics
internal import Contracts
internal import Docker
internal import Experiment

/// What the probes between groups of containers have in common.
struct EchoSettings: Sendable, Hashable {
    /// Which versions of the Internet Protocol are tried.
    enum Version: String, Sendable, Hashable, CaseIterable {
        case any
        case ipv4
        case ipv6

        var families: [AddressFamily] {
            switch self {
            case .any: AddressFamily.allCases
            case .ipv4: [.version4]
            case .ipv6: [.version6]
            }
        }
    }

    /// More would take longer than a round has time.
    static let mostPairs = 1_024

    private static let method = Parameter<EchoMesh.Method>.defaulted(
        "method", .choice(.udp), to: .udp, written: "udp", "udp: an echo between sockets of squall's; tcp: a handshake")
    private static let version = Parameter<Version>.defaulted(
        "version", .choice(.any), to: .any, written: "any",
        "any: one address that answers is enough; or ipv4, ipv6 alone")
    private static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .milliseconds(500), written: "500ms", "after this an answer does not count any more")

    static func parameters(every: Parameter<Span>) -> [any AnyParameter] {
        [ContainerGroups.parameter, every, timeout, method, version]
    }

    let groups: ContainerGroups
    let every: Span
    let timeout: Span
    let method: EchoMesh.Method
    let version: Version

    init(from reader: inout ParameterReader, every parameter: Parameter<Span>) {
        groups = ContainerGroups(groups: reader.value(ContainerGroups.parameter))
        every = reader.value(parameter)
        timeout = reader.value(Self.timeout)
        method = reader.value(Self.method)
        version = reader.value(Self.version)
        if groups.groups.isEmpty, reader.has(ContainerGroups.parameter.key) {
            reader.diagnostics.error("no group is named", at: reader.location(of: ContainerGroups.parameter.key))
        }
        if every < .milliseconds(10) {
            reader.diagnostics.error("'\(parameter.key)' must be at least 10ms", at: reader.location(of: parameter.key))
        }
        if timeout < .milliseconds(1) || timeout > .seconds(30) {
            reader.diagnostics.error("a timeout is from 1ms to 30s", at: reader.location(of: Self.timeout.key))
        }
    }

    /// Read-only: every group must have containers that can be looked into.
    func preflight(_ probe: Label, _ kind: String, in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let listing = try await groups.list(for: kind, in: context)
            var findings = listing.absent.sorted { $0.key < $1.key }.map { name, why in
                Finding(.warning, "probe '\(probe)': nothing is sent from or to \(name): \(why)")
            }
            for (group, names) in zip(groups.groups, listing.names) where names.isEmpty {
                findings.append(
                    Finding(
                        .error, "probe '\(probe)': group \(group.name) has no container (\(group.value.summary))",
                        advice: "docker ps -a"))
            }
            let pairs = ContainerGroups.pairs(listing.names).count
            if pairs == 0 { findings.append(Finding(.error, "probe '\(probe)': there are no two containers to try")) }
            if pairs > Self.mostPairs {
                findings.append(
                    Finding(.error, "probe '\(probe)': \(pairs) pairs are more than \(Self.mostPairs): choose fewer"))
            }
            if listing.members.isEmpty, !listing.absent.isEmpty {
                findings.append(Finding(.error, "probe '\(probe)': none of its containers can be looked into"))
            }
            return findings
        } catch {
            return [Finding(.error, "probe '\(probe)': \(error.message)", advice: error.advice)]
        }
    }
}
