import Basics
import Contracts
import Glibc
import Process
import Testing

/// Each test names its processes after itself: the tests of this file run at the same time.
private func program(named name: String, body: String = "time.sleep(60)") -> String {
    """
    import ctypes, signal, threading, time
    ctypes.CDLL(None).prctl(15, b"\(name)", 0, 0, 0)
    threads = [threading.Thread(target=time.sleep, args=(60,), daemon=True) for _ in range(4)]
    for thread in threads: thread.start()
    print("ready", flush=True)
    \(body)
    """
}

@Suite struct ProcessSignalFaultTests {
    private let fixture: Fixture
    private var context: SystemContext { fixture.context }

    init() throws {
        fixture = try Fixture()
    }

    private func started(_ name: String, body: String = "time.sleep(60)") async throws -> Child {
        let child = try Child.python(program(named: name, body: body))
        _ = try await child.readLine()
        return child
    }

    private func started(_ name: String, count: Int) async throws -> [Child] {
        var children: [Child] = []
        for _ in 0..<count { children.append(try await started(name)) }
        return children
    }

    private func states(_ child: Child) throws -> Set<Character> {
        guard let entry = try fixture.host.entry(child.pid) else { return [] }
        return Set(try fixture.host.threadStates(of: entry.identity))
    }

    @Test func aFreezeStopsEveryThreadOfEveryMatchAndItsHealContinuesThem() async throws {
        let children = try await started("sq-freeze", count: 3)
        let bystander = try await started("sq-bystander")
        let fault = try makeFault(
            ProcessSignalFault.self, ["process": "sq-freeze", "signal": "SIGSTOP", "expect": "3"])
        let undo = try await fault.prepare(.localHost, in: context)
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        let before = context.time.now
        guard case .confirmed(let range, let evidence) = try await fault.inject(undo, in: context) else {
            Issue.record("the freeze was not confirmed")
            return
        }
        #expect(range.lower >= before && range.upper <= context.time.now)
        #expect(evidence.hasSuffix("15 threads in state T (stopped)"))
        for child in children { #expect(try states(child) == ["T"]) }
        #expect(try states(bystander) == ["S"])
        let leftover = try #require(try await ProcessSignalFault.leftover(of: undo, in: context))
        #expect(
            leftover.commands == ["kill -CONT " + children.map(\.pid).sorted().map(String.init).joined(separator: " ")])
        try await ProcessSignalFault.heal(undo, in: context)
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        for child in children { #expect(try await eventually { try states(child) == ["S"] }) }
        try await ProcessSignalFault.heal(undo, in: context)
    }

    @Test func theUndoSurvivesItsWayThroughTheJournal() async throws {
        let child = try await started("sq-journal")
        let fault = try makeFault(ProcessSignalFault.self, ["process": "sq-journal", "signal": "STOP"])
        let undo = try await fault.prepare(.localHost, in: context)
        let copy = try roundTrip(undo)
        #expect(copy == undo)
        _ = try await fault.inject(undo, in: context)
        try await ProcessSignalFault.heal(copy, in: context)
        #expect(try await eventually { try states(child) == ["S"] })
    }

    @Test func aHealNeverTouchesAnotherProcessUnderTheSamePid() async throws {
        let child = try await started("sq-reused")
        let fault = try makeFault(ProcessSignalFault.self, ["process": "sq-reused", "signal": "STOP"])
        var undo = try await fault.prepare(.localHost, in: context)
        kill(child.pid, SIGSTOP)
        #expect(try await eventually { try states(child) == ["T"] })
        undo.processes[0].identity.startTime -= 1
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        try await ProcessSignalFault.heal(undo, in: context)
        #expect(try states(child) == ["T"])
    }

    @Test func aHealOfProcessesThatAreGoneIsDone() async throws {
        let child = try await started("sq-gone")
        let fault = try makeFault(ProcessSignalFault.self, ["process": "sq-gone", "signal": "STOP"])
        let undo = try await fault.prepare(.localHost, in: context)
        _ = try await fault.inject(undo, in: context)
        kill(child.pid, SIGKILL)
        try await child.waitUntilZombie()
        try await ProcessSignalFault.heal(undo, in: context)
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        child.reap()
        try await ProcessSignalFault.heal(undo, in: context)
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
    }

    @Test(arguments: ["SIGKILL", "SIGTERM"])
    func anEndIsSeenThroughThePidfd(signal: String) async throws {
        let name = "sq-end-\(signal.lowercased().suffix(4))"
        let children = try await started(name, count: 2)
        let fault = try makeFault(ProcessSignalFault.self, ["process": .text(name), "signal": .text(signal)])
        let undo = try await fault.prepare(.localHost, in: context)
        let before = context.time.now
        let effect = try await fault.inject(undo, in: context)
        guard case .confirmed(let range, _) = effect else {
            Issue.record("not confirmed: \(effect)")
            return
        }
        #expect(range.lower >= before && range.upper <= context.time.now)
        for child in children { #expect(try fixture.host.entry(child.pid) == nil) }
        #expect(try await ProcessSignalFault.leftover(of: undo, in: context) == nil)
        #expect(ProcessSignalFault.manualHeal(undo).isEmpty)
    }

    @Test func aSignalThatIsHandledProvesNothing() async throws {
        let child = try await started(
            "sq-handled", body: "signal.signal(signal.SIGTERM, lambda *_: None)\nprint(1, flush=True)\ntime.sleep(60)")
        _ = try await child.readLine()
        let fault = try makeFault(
            ProcessSignalFault.self, ["process": "sq-handled", "signal": "TERM", "within": "100ms"])
        let effect = try await fault.inject(try await fault.prepare(.localHost, in: context), in: context)
        guard case .unproven(let reason) = effect else {
            Issue.record("a living process is no effect: \(effect)")
            return
        }
        #expect(reason.contains("still runs after 100ms"))
    }

    @Test func refusesASignalThatIsIgnored() async throws {
        let child = try await started(
            "sq-ignored", body: "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(60)")
        _ = try await child.readLine()
        try await expectRefusal("sq-ignored", "TERM", .notApplicable, "ignores SIGTERM")
    }

    @Test func refusesWhatSomebodyElseHasStopped() async throws {
        let child = try await started("sq-foreign")
        kill(child.pid, SIGSTOP)
        #expect(try await eventually { try states(child) == ["T"] })
        try await expectRefusal("sq-foreign", "STOP", .foreignState, "already stopped")
    }

    @Test func refusesAnEmptySelectionAndAWrongCount() async throws {
        try await expectRefusal("sq-nobody", "STOP", .notFound, "no process named 'sq-nobody'")
        let children = try await started("sq-count", count: 2)
        try await expectRefusal("sq-count", "STOP", .notApplicable, "expected 1", expect: "1")
        for child in children { #expect(try states(child) == ["S"]) }
    }

    @Test func refusesTheFirstProcessAndWhateverStartedUs() async throws {
        for pid in [1, getpid(), getppid()] {
            guard let entry = try fixture.host.entry(pid), !entry.arguments.isEmpty else { continue }
            try await expectRefusal(entry.name, "STOP", .notApplicable, "runs squall itself")
        }
    }

    @Test func aProcessThatEndedBetweenPrepareAndInjectIsAnError() async throws {
        let child = try await started("sq-vanished")
        let fault = try makeFault(ProcessSignalFault.self, ["process": "sq-vanished", "signal": "STOP"])
        let undo = try await fault.prepare(.localHost, in: context)
        kill(child.pid, SIGKILL)
        try await child.waitUntilZombie()
        child.reap()
        let error = await #expect(throws: FaultError.self) { try await fault.inject(undo, in: context) }
        #expect(error?.code == .notFound)
    }

    @Test func theManualAndThePlanSayWhatCannotBeUndone() throws {
        let kill = try makeFault(ProcessSignalFault.self, ["process": "x", "signal": "KILL"]).plan(for: .localHost)
        #expect(kill.undo.contains("cannot be brought back"))
        let stop = try makeFault(ProcessSignalFault.self, ["process": "x", "signal": "STOP"]).plan(for: .localHost)
        #expect(stop.undo.contains("SIGCONT"))
    }

    private func expectRefusal(
        _ name: String, _ signal: String, _ code: FaultError.Code, _ part: String, expect: String? = nil
    ) async throws {
        let members: [(String, Value)] = [("process", .text(name)), ("signal", .text(signal))]
        let fault = try makeFault(
            ProcessSignalFault.self, .map(members + (expect.map { [("expect", .text($0))] } ?? [])))
        let error = await #expect(throws: FaultError.self) { try await fault.prepare(.localHost, in: context) }
        #expect(error?.code == code)
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    }
}
