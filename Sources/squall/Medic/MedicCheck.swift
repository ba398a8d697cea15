internal import Basics
internal import Contracts
internal import Experiment
internal import Glibc
internal import Journal
internal import Process

/// Starts a medic over an empty journal and sends it home: what `squall doctor` asks before a run has to.
enum MedicCheck {
    /// Throws why no medic can be had; gives how long it took to be ready.
    static func run(_ systems: Systems) async throws -> Span {
        var template = Array("/tmp/squall-doctor-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError.last("mkdtemp", subject: "/tmp") }
        let folder = String(decoding: template.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let journal = "\(folder)/journal"
        defer {
            for path in [journal, "\(folder)/medic.log"] { unlink(path) }
            rmdir(folder)
        }
        let loop = try EventLoop(name: "squall-doctor")
        defer { loop.stop() }
        let header = JournalHeader(
            run: "doctor", title: "doctor", runbook: nil, host: systems.host.name, machine: systems.host.machine,
            bootID: systems.host.bootID, pid: getpid(), processStart: try systems.host.process(getpid()).startTime,
            secrets: [], openedAt: systems.time.wallClock)
        let writer = try await JournalWriter(creating: journal, header: header, loop: loop)
        let medic = MedicProcess(journal: journal, loop: loop, note: { _ in }, onLoss: { _ in }, onRelief: {})
        let started = systems.time.now
        medic.start()
        try await medic.ready()
        let ready = systems.time.now
        await medic.dismiss()
        try await writer.append(.closed(at: ready))
        return ready - started
    }
}
