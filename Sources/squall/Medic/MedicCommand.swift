internal import ArgumentParser
internal import Basics
internal import CLinux
internal import Contracts
internal import Controller
internal import Experiment
internal import Glibc
internal import Journal
internal import Synchronization

/// `squall medic`: started by every run, and by nobody else.
struct MedicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "medic", abstract: "Watches a controller and heals when it dies; started by run and inject.",
        shouldDisplay: false)

    @Option(help: "The journal of the run to watch.")
    var journal: String

    func run() async throws {
        try await perform()
    }

    @concurrent private func perform() async throws {
        // Whoever ends the controller by a signal to many processes at once must not end its medic with it.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        // A machine that is busy, often by the fault itself, must not make it wait: it sleeps until it is needed. Without
        // the right to (CAP_SYS_NICE) it is as fast as everybody.
        _ = squall_set_urgent(1)
        let systems = try Systems()
        let contents = try JournalReader.read(journal)
        let aftermath = Aftermath(journal: contents.path, run: contents.header.run)
        let loop = try EventLoop(name: "squall-medic")
        defer { loop.stop() }
        let context = systems.context(
            run: contents.header.run, store: keptSecrets(contents.header)
        ) { aftermath.append($0) }
        let channel = MedicChannel(descriptor: MedicChannel.inherited)
        let medic = Medic(
            store: FileJournal(path: journal, loop: loop), registry: systems.registry, context: context,
            onRelief: { channel.send(.relieved) })
        let post = MedicPost(channel: channel, medic: medic, onEnd: { aftermath.controllerEnded() })
        try loop.watch(MedicChannel.inherited, for: .readable) { _ in
            if post.receive() { loop.unwatch(MedicChannel.inherited) }
        }
        post.reportReady()
        switch await medic.watch() {
        case .dismissed: return
        case .failed(let error):
            Output.error("error: \(error)\nnext: squall heal --journal \(journal)")
            throw ExitCode(6)
        case .tookOver(let outcome):
            // Everything is healed; the reports can wait for their turn.
            _ = squall_set_urgent(0)
            try aftermath.conclude(outcome)
            aftermath.removeEmptyLog()
            if !outcome.leftovers.isEmpty { throw ExitCode(6) }
            post.releaseLocks()
        }
    }

    /// Every secret read now: a file that is gone when the controller dies must not keep a fault alive.
    private func keptSecrets(_ header: JournalHeader) -> SecretStore {
        let loader = SecretLoader(environment: processEnvironment())
        let references = header.secrets.map { NamedValue(name: $0.key, value: $0.value) }
        var kept: [SecretReference: String] = [:]
        for reference in header.secrets.values {
            if let value = try? loader.load(reference) { kept[reference] = value }
        }
        return SecretStore(references) { [kept] reference throws(FaultError) in
            if let value = kept[reference] { return value }
            do throws(SecretProblem) {
                return try loader.load(reference)
            } catch {
                throw FaultError(.denied, "\(error)", advice: error.advice)
            }
        }
    }
}

/// The medic's end of the channel.
private final class MedicPost: Sendable {
    private let channel: MedicChannel
    private let medic: Medic
    private let onEnd: @Sendable () -> Void
    private let locks = Mutex([CInt]())

    /// - Parameter onEnd: told of the controller's end before the medic is.
    init(channel: MedicChannel, medic: Medic, onEnd: @escaping @Sendable () -> Void) {
        self.channel = channel
        self.medic = medic
        self.onEnd = onEnd
    }

    func reportReady() { channel.send(.ready) }

    /// Takes everything that has come; true at the end of the channel. On the loop's thread.
    func receive() -> Bool {
        while true {
            switch channel.receive() {
            case .nothing: return false
            case .end:
                onEnd()
                medic.receive(nil)
                return true
            case .message(.lock, let descriptor): if let descriptor { locks.withLock { $0.append(descriptor) } }
            case .message(.journalChanged, _): medic.receive(.journalChanged)
            case .message(.dismissed, _): medic.receive(.dismissed)
            case .message(.ready, _), .message(.relieved, _): continue
            }
        }
    }

    /// Everything is healed: the targets are free, and their files name no holder any more.
    func releaseLocks() {
        for lock in locks.withLock({ $0 }) {
            ftruncate(lock, 0)
            close(lock)
        }
    }
}
