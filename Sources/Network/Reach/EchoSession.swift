internal import Basics
internal import Contracts
internal import Synchronization

/// A probe between groups of containers at work: rounds at fixed instants, and beside them a look at who is there.
final class EchoSession: ProbeSession {
    /// One pair of one round.
    struct Sample {
        var pair: EchoMesh.Pair
        var reply: EchoMesh.Reply
        /// When the round was due, when it began, and when its last answer was in.
        var due: Instant
        var began: Instant
        var ended: Instant
    }

    private struct State {
        var pairs: [EchoMesh.Pair] = []
        var lastSequence: Int64 = 0
        var inFlight = 0
        /// What was said about a container that is not there, so that it is said once.
        var told: [String: String] = [:]
    }

    /// How often the engine is asked who belongs to the groups.
    private static let look = Span.seconds(1)
    private static let mostRounds = 64

    private let probe: Label
    private let kind: String
    private let settings: EchoSettings
    private let context: SystemContext
    private let mesh: EchoMesh
    private let report: @Sendable ([Sample]) -> Void
    private let state = Mutex(State())

    /// - Parameter report: called once per round, with every pair.
    init(
        _ probe: Label, kind: String, _ settings: EchoSettings, in context: SystemContext,
        report: @escaping @Sendable ([Sample]) -> Void
    ) async throws(FaultError) {
        self.probe = probe
        self.kind = kind
        self.settings = settings
        self.context = context
        self.report = report
        do throws(SystemError) {
            mesh = try EchoMesh("squall-echo", method: settings.method, families: settings.version.families)
        } catch {
            throw FaultError(.unexpected, "probe '\(probe)' cannot start its thread", underlying: error)
        }
        try await lookAround()
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.lookAgainAndAgain() }
            let plan = OpenLoop(start: context.time.now, rate: Rate(perSecond: 1 / settings.every.seconds))
            await plan.run(time: context.time) { stall in
                context.record(.stall(stall))
            } _: { arrival in
                guard reserve() else { return recordUnsent(arrival) }
                group.addTask {
                    await self.round(arrival)
                    self.state.withLock { $0.inFlight -= 1 }
                }
            }
        }
    }

    func close() async throws(FaultError) {
        await mesh.close()
    }

    private func reserve() -> Bool {
        state.withLock { state in
            guard state.inFlight < Self.mostRounds else { return false }
            state.inFlight += 1
            return true
        }
    }

    // MARK: Rounds

    private func round(_ arrival: Arrival) async {
        let pairs = state.withLock(\.pairs)
        let began = context.time.now
        let replies = await mesh.round(pairs, within: settings.timeout)
        let ended = context.time.now
        let samples = zip(pairs, replies).map { pair, reply in
            Sample(pair: pair, reply: reply, due: arrival.due, began: began, ended: ended)
        }
        for sample in samples { record(sample) }
        report(samples)
    }

    /// The latency of an operation is the round trip as the kernel saw it: a thread of ours that was late is no delay of
    /// the network.
    private func record(_ sample: Sample) {
        var (end, outcome, reason) = (sample.ended, Outcome.failed, Label.none)
        var sent: Instant? = sample.began
        switch sample.reply {
        case .answered(let span): (end, outcome) = (sample.began + span, .ok)
        case .silent: (end, reason) = (sample.began + settings.timeout, "timeout")
        case .refused(let code): (end, reason) = (sample.began, NetworkFailure.reason(code))
        case .absent: (end, sent, reason) = (sample.began, nil, "absent")
        }
        context.record(
            .operation(
                Operation(
                    probe: probe, path: Label("\(sample.pair.from) > \(sample.pair.to)"), node: Label(sample.pair.to),
                    action: .check, sequence: nextSequence(), due: sample.began, sent: sent, end: end, outcome: outcome,
                    reason: reason)))
    }

    private func recordUnsent(_ arrival: Arrival) {
        context.record(
            .operation(
                Operation(
                    probe: probe, path: "round", action: .check, sequence: nextSequence(), due: arrival.due, sent: nil,
                    end: context.time.now, outcome: .failed, reason: "overrun")))
    }

    private func nextSequence() -> Int64 {
        state.withLock { state in
            defer { state.lastSequence += 1 }
            return state.lastSequence
        }
    }

    // MARK: Who is there

    private func lookAgainAndAgain() async {
        while !Task.isCancelled {
            do throws(CancellationError) {
                try await context.time.sleep(for: Self.look)
            } catch {
                return
            }
            do throws(FaultError) {
                try await lookAround()
            } catch {
                // An engine that is away says nothing about the network: those that are known are tried on.
                if error.code != .cancelled { tell(["the engine": error.description]) }
            }
        }
    }

    /// Containers that are gone stay in the matrix: that nothing gets through to them is what is to be seen.
    private func lookAround() async throws(FaultError) {
        let listing = try await settings.groups.list(for: kind, in: context)
        var absent = listing.absent
        for (name, error) in await mesh.settle(listing.members) { absent[name] = "\(error)" }
        let pairs = ContainerGroups.pairs(listing.names).prefix(EchoSettings.mostPairs)
        state.withLock { state in
            let gone = state.pairs.filter { !pairs.contains($0) }
            state.pairs = Array((pairs + gone).prefix(EchoSettings.mostPairs))
        }
        tell(absent)
    }

    private func tell(_ absent: [String: String]) {
        let news = state.withLock { state in
            let news = absent.filter { state.told[$0.key] != $0.value }
            state.told = absent
            return news
        }
        for (name, why) in news.sorted(by: { $0.key < $1.key }) {
            context.record(
                .note(
                    Note(at: context.time.now, source: probe, level: .warning, message: "\(name) is left out: \(why)")))
        }
    }
}
