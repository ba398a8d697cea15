package import Basics
package import Contracts
package import Experiment
internal import Glibc

/// Takes names away from a container: its queries for them are lost, late, refused or answered wrongly.
package struct NetworkDNSFault: Fault {
    package struct Undo: Codable, Sendable, Hashable {
        package var target: String
        /// Name of the table.
        package var mark: String
        package var run: String
        package var member: NamespaceMember
        package var rule: NameRule
        package var servers: [AddressRange]
        /// What is asked before and after to show the effect; the first that is answered before counts.
        package var checks: [DomainName]
        /// The process whose sockets keep it alive: what a person ends when nothing else helps.
        package var owner: Int32
    }

    package static let kind = "network.dns"
    package static let requires: Set<Target.Attribute> = [.containerID]
    /// What our tables for names are called, so that a second fault of this kind is noticed.
    static let prefix = NetworkTables.prefix + "dns_"

    private static let names = Parameter<[NamePattern]>.defaulted(
        "names", .list(.namePattern), to: [], written: "all", "only these names, and names below a suffix: *.internal")
    private static let mode = Parameter<NameRule.Mode>.required(
        "mode", .choice(.drop),
        "drop: no answer; delay: a late one; refuse, servfail, nxdomain: an error; wrong-answer: addresses of yours")
    private static let delay = Parameter<Span?>.optional(
        "delay", .span, "how late the true answer comes, with mode delay")
    private static let addresses = Parameter<[AddressRange]>.defaulted(
        "addresses", .list(.addressRange), to: [], written: "none", "what the names lead to, with mode wrong-answer")
    private static let servers = Parameter<[AddressRange]>.defaulted(
        "servers", .list(.addressRange), to: [], written: "those of the container's resolv.conf",
        "the name servers whose answers are taken away")
    private static let check = Parameter<DomainName?>.optional(
        "check", .domainName, "a name that is asked for before and after, to show the effect; one that is hit")
    package static let parameters: [any AnyParameter] = [names, mode, delay, addresses, servers, check]

    /// A longer delay than any client waits is a drop.
    private static let longestDelay = Span.seconds(30)
    private static let mostNames = 256
    private static let mostServers = 8

    let rule: NameRule
    private let servers: [AddressRange]
    private let check: DomainName?

    package init(from reader: inout ParameterReader) {
        let mode = reader.value(Self.mode)
        let delay = reader.value(Self.delay)
        rule = NameRule(
            names: reader.value(Self.names), mode: mode, delay: delay ?? .zero, addresses: reader.value(Self.addresses))
        servers = reader.value(Self.servers)
        check = reader.value(Self.check)
        if reader.has(Self.mode.key) { checkMode(delay, &reader) }
        checkLists(&reader)
    }

    private func checkMode(_ delay: Span?, _ reader: inout ParameterReader) {
        if (rule.mode == .delay) != reader.has(Self.delay.key) {
            reader.diagnostics.error("mode delay and a delay belong together", at: reader.location(of: Self.mode.key))
        }
        if let delay, delay < .milliseconds(1) || delay > Self.longestDelay {
            reader.diagnostics.error(
                "a delay is from 1ms to \(Self.longestDelay)", at: reader.location(of: Self.delay.key),
                notes: ["for an answer that never comes write mode: drop"])
        }
        if (rule.mode == .wrongAnswer) != reader.has(Self.addresses.key) {
            reader.diagnostics.error(
                "mode wrong-answer and addresses belong together", at: reader.location(of: Self.mode.key))
        }
    }

    private func checkLists(_ reader: inout ParameterReader) {
        for (key, list) in [(Self.addresses.key, rule.addresses), (Self.servers.key, servers)] {
            if let block = list.first(where: { !$0.isSingle }) {
                reader.diagnostics.error("\(block) is no single address", at: reader.location(of: key))
            }
            if list.isEmpty, reader.has(key) {
                reader.diagnostics.error("'\(key)' lists nothing", at: reader.location(of: key))
            }
            if list.count > Self.mostServers {
                reader.diagnostics.error("at most \(Self.mostServers) addresses", at: reader.location(of: key))
            }
        }
        if let server = servers.first(where: \.isLinkLocal) {
            reader.diagnostics.error(
                "\(server) means a neighbour on one cable only", at: reader.location(of: Self.servers.key))
        }
        if rule.names.isEmpty, reader.has(Self.names.key) {
            reader.diagnostics.error(
                "'names' lists nothing", at: reader.location(of: Self.names.key), notes: ["leave it out to mean all"])
        }
        if rule.names.count > Self.mostNames {
            reader.diagnostics.error("at most \(Self.mostNames) names", at: reader.location(of: Self.names.key))
        }
        if let check, !rule.matches(check) {
            reader.diagnostics.error(
                "'\(check)' is none of the names that are hit", at: reader.location(of: Self.check.key))
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        PlannedOperation(
            operation: "\(rule.action) for \(rule.summary) asked by \(target.name), "
                + "by redirecting port 53 in its network namespace (nf_tables)",
            undo:
                "delete our table; the kernel does so by itself when squall ends, and lifts the redirect when it hangs",
            privileges: ["root, or CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_PTRACE", "the Docker engine"])
    }

    // MARK: Prepare

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> Undo {
        let member = try await NamespaceMember(target, for: Self.kind, in: context)
        let kernel = try context.services.require((any NetworkKernel).self)
        let found: [AddressRange]
        let others: [String]
        do throws(NetworkError) {
            others = try await kernel.tables(Self.prefix, of: member.process)
            found = servers.isEmpty ? try await kernel.nameServers(of: member.process) : servers
        } catch {
            throw FaultError("look for the name servers", on: target.name, error)
        }
        if let other = others.first {
            throw FaultError(
                .inUse, "names of \(target.name) are taken away already (table \(other))",
                advice: "squall leftovers tells by whom; squall heal --all heals what a dead run left")
        }
        guard !found.isEmpty, !found.contains(where: \.isLinkLocal) else {
            throw FaultError(
                .notApplicable, "\(target.name) has no name server in /etc/resolv.conf that could be taken away",
                advice: "name the servers that its programs ask: servers: [192.0.2.53]")
        }
        let mark = NetworkHold.mark(in: context).replacing(NetworkTables.prefix, with: Self.prefix, maxReplacements: 1)
        return Undo(
            target: target.name, mark: mark, run: context.run, member: member, rule: rule, servers: found,
            checks: check.map { [$0] } ?? checks(for: target), owner: getpid())
    }

    /// Names that are hit, as far as one knows some: those that are written, and the container's own, which Docker's
    /// server knows.
    private func checks(for target: Target) -> [DomainName] {
        let written = rule.names.filter { !$0.isSuffix }.map(\.name)
        let own = [target.name, target.attributes[.containerName] ?? "", "localhost"]
        let known = (written + own.compactMap { DomainName(parsing: $0) }).filter(rule.matches)
        if !known.isEmpty { return known }
        return rule.names.prefix(4).compactMap { DomainName(parsing: "squall-check.\($0.name)") }
    }

    // MARK: Heal

    package static func heal(_ undo: Undo, in context: SystemContext) async throws(FaultError) {
        try await NetworkHold.end(undo.mark, in: context)
        // A controller that was killed could not forget them: a program that keeps its socket would ask nobody.
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            try await kernel.forgetQueries(to: undo.servers, redirectedOnly: true, of: undo.member.process)
        } catch {
            if error.code != .notFound { throw FaultError("forget redirected queries", on: undo.target, error) }
        }
    }

    package static func leftover(of undo: Undo, in context: SystemContext) async throws(FaultError) -> Leftover? {
        guard try await NetworkHold.armed(undo.mark, [undo.member], in: context) != nil else { return nil }
        return Leftover(
            kind: kind, target: undo.target,
            description: "the table \(undo.mark) still redirects queries of \(undo.target)", commands: manualHeal(undo))
    }

    package static func manualHeal(_ undo: Undo) -> [String] {
        NetworkHold.manualHeal(owner: undo.owner, [undo.member])
    }

    /// Nothing is accepted for later: a request to the kernel is carried out when it is sent.
    package static func lateEffect(of undo: Undo) -> Span { .zero }
}

extension NameRule {
    /// For plans: `answer NXDOMAIN`.
    var action: String {
        switch mode {
        case .drop: "answer nothing"
        case .delay: "answer \(delay) late"
        case .refuse, .servfail, .nxdomain, .wrongAnswer: "answer \(answer.map { "\($0)" } ?? "")"
        }
    }
}

extension ValueType where Value == NamePattern {
    static var namePattern: ValueType {
        ValueType(
            scalar: "a host name or a suffix, for example db.example.com or *.internal",
            schema: .object(["type": .string("string")]), placeholder: NamePattern(.root),
            hint: { $0.contains("*") ? "a star stands alone in front: *.internal" : nil }
        ) { NamePattern(parsing: $0.text) }
    }
}

extension ValueType where Value == DomainName {
    static var domainName: ValueType {
        ValueType(
            scalar: "a host name, for example db.example.com", schema: .object(["type": .string("string")]),
            placeholder: .root
        ) { DomainName(parsing: $0.text) }
    }
}
