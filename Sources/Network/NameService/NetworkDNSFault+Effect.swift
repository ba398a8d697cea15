internal import Basics
package import Contracts

extension NetworkDNSFault {
    /// How long an answer may take: Docker's server gives up on those it asks itself after two seconds.
    static let patience = Span.milliseconds(2_500)
    /// How long nothing must come to be called lost; a server that answered in milliseconds before would have.
    static let silence = Span.milliseconds(800)

    package func inject(_ undo: Undo, in context: SystemContext) async throws(FaultError) -> Effect {
        let kernel = try context.services.require((any NetworkKernel).self)
        do throws(NetworkError) {
            let before = try await firstAnswer(undo, kernel)
            let work = NetworkWork(
                mark: undo.mark, run: undo.run, members: [undo.member],
                rules: NameInterception(mark: undo.mark, run: undo.run, rule: undo.rule, servers: undo.servers))
            let armed = try await NetworkHold.begin(work, Self.kind, kernel, in: context)
            try await kernel.forgetQueries(to: undo.servers, redirectedOnly: false, of: undo.member.process)
            guard let before else {
                let names = undo.checks.map(\.description).joined(separator: ", ")
                return .unproven(
                    "no name server of \(undo.target) answered for \(names) before: write check: with a name that is hit"
                )
            }
            let after = try await kernel.ask(
                before.name, family, of: before.server, from: undo.member.process,
                within: limit(undo.rule, before.reply))
            return NameEffect(rule: undo.rule, family: family).judge(before, after, armed)
        } catch {
            throw FaultError("take names away", on: undo.target, error)
        }
    }

    /// Which addresses are asked for: of the version that a wrong answer has.
    private var family: AddressFamily { rule.addresses.first?.family ?? .version4 }

    private func limit(_ rule: NameRule, _ before: NameReply) -> Span {
        switch rule.mode {
        case .drop: max(Self.silence, before.after * 4)
        case .delay: rule.delay + Self.patience
        case .refuse, .servfail, .nxdomain, .wrongAnswer: Self.patience
        }
    }

    /// The first check that is answered as it is not going to be: a name that does not exist proves no `nxdomain`.
    private func firstAnswer(
        _ undo: Undo, _ kernel: any NetworkKernel
    ) async throws(NetworkError) -> NameEffect.Before? {
        var first: NameEffect.Before?
        for name in undo.checks.prefix(4) {
            for server in undo.servers {
                let reply = try await kernel.ask(
                    name, family, of: server, from: undo.member.process, within: Self.patience)
                guard let reply else { continue }
                let before = NameEffect.Before(name: name, server: server, reply: reply)
                if reply.answer != undo.rule.answer { return before }
                first = first ?? before
            }
        }
        return first
    }
}

/// Whether two answers to the same question show that a rule acts; decides, asks nobody.
struct NameEffect {
    struct Before: Hashable {
        var name: DomainName
        var server: AddressRange
        var reply: NameReply
    }

    let rule: NameRule
    let family: AddressFamily

    func judge(_ before: Before, _ after: NameReply?, _ armed: InstantRange) -> Effect {
        let was = "\(before.server) answered '\(before.name)' with \(before.reply.answer) before"
        if let expected {
            guard expected != before.reply.answer else {
                return .unproven("\(was), as it does now: write check: with a name that is answered otherwise")
            }
            guard let after else { return .unproven("\(was), and not at all now") }
            guard after.answer == expected else { return .unproven("\(was), and \(after.answer) now") }
            return .confirmed(armed, evidence: "\(was), and \(after.answer) now")
        }
        switch (rule.mode, after) {
        case (.drop, nil): return .confirmed(armed, evidence: "\(was) (\(before.reply.after)), and not at all now")
        case (.delay, .some(let after)) where after.after >= rule.delay && before.reply.after < rule.delay:
            return .confirmed(armed, evidence: "\(was) after \(before.reply.after), and after \(after.after) now")
        case (.delay, .some(let after)):
            return .unproven("\(was) after \(before.reply.after), and after \(after.after) now")
        default: return .unproven("\(was), and \(after.map { "\($0.answer)" } ?? "not at all") now")
        }
    }

    /// The rule's answer to a question for addresses of one version.
    private var expected: DNSAnswer? {
        rule.answer.map { DNSAnswer($0.code, $0.addresses.filter { $0.family == family }) }
    }
}
