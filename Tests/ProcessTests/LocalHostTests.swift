import Basics
import Contracts
import Glibc
import Process
import Testing

@Suite struct LocalHostTests {
    private let host: LocalHost
    private let time = SystemTimeSource()

    init() throws {
        host = try LocalHost()
    }

    @Test func knowsItselfAndItsBoot() {
        #expect(host.bootID.count == 36)
        #expect(!host.name.isEmpty)
    }

    @Test func refusesAPidThatNobodyHas() async throws {
        let gone = try Child(["/bin/true"])
        try await gone.waitUntilZombie()
        gone.reap()
        let error = #expect(throws: SystemError.self) { try host.process(gone.pid) }
        #expect(error?.errno == ESRCH)
    }

    @Test func readsTheSameStartTimeAsTheProcessTable() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let process = try host.process(child.pid)
        let entry = try #require(try host.entry(child.pid))
        #expect(process.startTime == entry.identity.startTime)
        #expect(process.startTime > 0)
        #expect(try host.entry(child.pid)?.name == "sleep")
        // The kernel sets them last: a program that is just being executed shows none for a moment.
        #expect(try await eventually { try host.entry(child.pid)?.arguments == ["/bin/sleep", "60"] })
        #expect(entry.parent == getpid())
    }

    @Test func anotherStartTimeOrAnotherBootIsAnotherProcess() throws {
        let child = try Child(["/bin/sleep", "60"])
        let real = try #require(try host.entry(child.pid)).identity
        #expect(try host.process(real)?.pid == child.pid)
        var later = real
        later.startTime += 1
        #expect(try host.process(later) == nil)
        var earlierBoot = real
        earlierBoot.bootID = "00000000-0000-0000-0000-000000000000"
        #expect(try host.process(earlierBoot) == nil)
    }

    @Test func theIntervalOfAnExitHoldsTheKill() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let process = try host.process(child.pid)
        let before = time.now
        try process.send(signal: SIGKILL)
        let range = try #require(try await process.waitForExit(until: .soon()))
        let after = time.now
        #expect(range.lower >= before)
        #expect(range.upper <= after)
        #expect(range.lower <= range.upper)
        #expect(range.width < .seconds(5))
    }

    @Test func anExitBeforeTheWaitIsSeenWithItsLastLivingInstant() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let before = time.now
        let process = try host.process(child.pid)
        let held = time.now
        kill(child.pid, SIGKILL)
        try await child.waitUntilZombie()
        let dead = time.now
        let range = try #require(try await process.waitForExit(until: .soon()))
        #expect(range.lower >= before && range.lower <= held)
        #expect(range.upper >= dead)
    }

    @Test func aZombieHasEndedAndAReapedProcessToo() async throws {
        let child = try Child(["/bin/true"])
        try await child.waitUntilZombie()
        let process = try host.process(child.pid)
        #expect(try process.state() == "Z")
        #expect(try await process.waitForExit(until: .soon()) != nil)
        #expect(try host.entry(child.pid) == nil)
        child.reap()
        #expect(try process.state() == nil)
        #expect(try await process.waitForExit(until: .soon()) != nil)
        let error = #expect(throws: SystemError.self) { try process.send(signal: SIGTERM) }
        #expect(error?.errno == ESRCH)
    }

    @Test func aWaitEndsAtItsDeadlineWhileTheProcessLives() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let process = try host.process(child.pid)
        let deadline = time.now + .milliseconds(50)
        #expect(try await process.waitForExit(until: deadline) == nil)
        #expect(time.now >= deadline)
        #expect(try process.state() == "S")
    }

    @Test func manyWaitsForOneProcessAllEnd() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let process = try host.process(child.pid)
        let ended = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { try await process.waitForExit(until: .soon()) != nil } }
            group.addTask {
                try process.send(signal: SIGKILL)
                return true
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(ended == 51)
    }

    @Test func aCancelledWaitEndsAtOnceAndSaysSo() async throws {
        let child = try Child(["/bin/sleep", "60"])
        let process = try host.process(child.pid)
        let start = time.now
        let errno = await withTaskGroup(of: CInt?.self) { group in
            group.addTask {
                do throws(SystemError) {
                    _ = try await process.waitForExit(until: .soon())
                    return nil
                } catch {
                    return error.errno
                }
            }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(errno == ECANCELED)
        #expect(time.now - start < .seconds(10))
    }

    @Test func allThreadsOfAStoppedProcessAreStopped() async throws {
        let child = try Child.python(
            """
            import threading, time
            for _ in range(8): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            print("ready", flush=True)
            time.sleep(60)
            """)
        #expect(try await child.readLine() == "ready")
        let identity = try #require(try host.entry(child.pid)).identity
        #expect(try host.threadStates(of: identity).count == 9)
        let process = try host.process(child.pid)
        try process.send(signal: SIGSTOP)
        #expect(
            try await eventually {
                let states = try host.threadStates(of: identity)
                return states.count == 9 && states.allSatisfy { $0 == "T" }
            })
        try process.send(signal: SIGCONT)
        #expect(try await eventually { try host.threadStates(of: identity).allSatisfy { $0 == "S" } })
    }

    @Test func ourOwnAncestryLeadsToTheFirstProcess() throws {
        let line = try host.ancestry()
        #expect(line.first == getpid())
        #expect(line.contains(getppid()))
        #expect(line.last == 1)
    }
}
