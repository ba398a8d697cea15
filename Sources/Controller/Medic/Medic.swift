package import Basics
package import Contracts
package import Journal

/// Watches a controller from another process and heals in its place: the impure half of `MedicStateMachine`.
package struct Medic: Sendable {
    /// What the channel from the controller brings.
    package enum Message: Sendable, Hashable {
        case journalChanged
        case dismissed
    }

    /// How a watch ended.
    package enum Outcome: Sendable {
        /// The controller ended in order.
        case dismissed
        case tookOver(Takeover.Outcome)
        /// The journal could not be read or locked: nothing could be healed from it.
        case failed(JournalError)
    }

    private let store: any JournalStore
    private let healer: Healer
    /// Tries briefly: the next look at the journal tries again, and the controller's death must not wait for it.
    private let reliefHealer: Healer
    private let context: SystemContext
    private let onRelief: @Sendable () -> Void
    private let events: AsyncStream<MedicEvent>
    private let inbox: AsyncStream<MedicEvent>.Continuation

    /// - Parameter patience: how long one change is retried while its system cannot be reached. Longer than the
    ///   controller's: nobody waits for the medic, and nobody comes after it.
    /// - Parameter onRelief: called when something was healed in a hung controller's place, to tell it when it wakes.
    package init(
        store: any JournalStore, registry: Registry, context: SystemContext, patience: Span = .minutes(5),
        onRelief: @escaping @Sendable () -> Void = {}
    ) {
        self.onRelief = onRelief
        self.store = store
        self.context = context
        healer = Healer(registry: registry, context: context, patience: patience)
        reliefHealer = Healer(registry: registry, context: context, patience: .seconds(5), awaitsRecovery: false)
        (events, inbox) = AsyncStream.makeStream()
    }

    /// Hands in what the channel brought; nil is its end.
    package func receive(_ message: Message?) {
        switch message {
        case .journalChanged: inbox.yield(.journalChanged)
        case .dismissed: inbox.yield(.dismissed)
        case nil: inbox.yield(.controllerEnded)
        }
    }

    /// Watches until the controller ends; returns when everything it left is healed, or could not be.
    package func watch() async -> Outcome {
        var machine = MedicStateMachine()
        var outcome = Outcome.dismissed
        inbox.yield(.journalChanged)
        await withDiscardingTaskGroup { group in
            for await event in events {
                let actions = machine.handle(event, at: context.time.now)
                for action in actions {
                    switch action {
                    case .readJournal: await readJournal()
                    case .wakeAt(let instant): group.addTask { await self.wake(at: instant) }
                    case .relieve:
                        let snapshot = machine
                        group.addTask { await self.relieve(snapshot) }
                    case .takeOver:
                        outcome = await takeOver()
                        inbox.yield(.takenOver)
                    case .finish: break
                    }
                }
                if actions.contains(.finish) { break }
            }
            group.cancelAll()
        }
        return outcome
    }

    private func wake(at instant: Instant) async {
        if (try? await context.time.sleep(until: instant)) != nil { inbox.yield(.tick) }
    }

    private func readJournal() async {
        do throws(JournalError) {
            inbox.yield(.journalRead(try await store.read().changes))
        } catch {
            inbox.yield(.journalUnreadable("\(error)"))
        }
    }

    // MARK: The controller is dead

    private func takeOver() async -> Outcome {
        let takeover = Takeover(store: store, healer: healer, context: context)
        var pause = Span.microseconds(500)
        while true {
            do throws(JournalError) {
                let cause = AbortReason.controllerDied("it ended without healing; its medic took over")
                return .tookOver(try await takeover.run(cause: cause))
            } catch {
                // The dying process lets go of its files one after the other, and a person may be healing already.
                guard error.code == .locked, (try? await context.time.sleep(for: pause)) != nil else {
                    return .failed(error)
                }
                pause = min(pause * 2, .milliseconds(200))
            }
        }
    }

    // MARK: The controller lives and hangs

    /// Heals what is overdue by now, in the controller's place but not beside it.
    private func relieve(_ machine: MedicStateMachine) async {
        var tried: Set<MutationID> = []
        do throws(JournalError) {
            let journal = try await store.openBeside()
            try await whileHavingTurn(of: journal) {
                tried = await self.relieveOverdue(machine, journal)
            }
        } catch {
            note("the journal cannot be used: \(error); what is overdue is healed without it", .error)
            tried = await relieveOverdue(machine, nil)
        }
        inbox.yield(.reliefFinished(tried))
    }

    /// A controller that stopped in the middle of a heal keeps the turn for ever: after that long it is passed over.
    private func whileHavingTurn(
        of journal: any JournalSink, _ body: () async -> Void
    ) async throws(JournalError) {
        let deadline = context.time.now + MedicStateMachine.longestHeal
        while try await !journal.takeTurn(), context.time.now < deadline {
            guard (try? await context.time.sleep(for: .milliseconds(100))) != nil else { return }
        }
        await body()
        await journal.endTurn()
    }

    /// The controller may have healed while the turn was waited for: only what is still overdue is touched.
    private func relieveOverdue(_ machine: MedicStateMachine, _ journal: (any JournalSink)?) async -> Set<MutationID> {
        var machine = machine
        if let contents = try? await store.read() { machine.replace(contents.changes) }
        let overdue = machine.overdue(at: context.time.now)
        if overdue.isEmpty { return [] }
        note("the controller does not heal what is past its time: \(overdue.count) change(s) are relieved", .warning)
        onRelief()
        let results = await reliefHealer.healWithoutJournal(overdue)
        for result in results {
            if let remaining = result.remaining {
                note("\(remaining.kind) on \(remaining.target) could not be relieved: \(remaining.description)", .error)
            } else {
                note("\(result.intent.kind) on \(result.intent.targetName) is relieved and verified", .warning)
                await record(result.intent.id, in: journal)
            }
        }
        return Set(overdue.map(\.id))
    }

    /// Without the record the change stays overdue and is looked at again, which does no harm.
    private func record(_ id: MutationID, in journal: (any JournalSink)?) async {
        do throws(JournalError) {
            try await journal?.append(.relieved(id, at: context.time.now))
        } catch {
            note("the relief is not in the journal: \(error)", .warning)
        }
    }

    private func note(_ message: String, _ level: Note.Level) {
        context.record(.note(Note(at: context.time.now, source: "medic", level: level, message: message)))
    }
}
