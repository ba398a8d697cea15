import Basics
import Glibc
import Synchronization
import Testing

/// Lives on a loop, as sessions over C libraries do.
private actor Resident {
    private nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }
    private(set) var count = 0

    init(on loop: EventLoop) {
        self.loop = loop
    }

    func isOnLoop() -> Bool { loop.isCurrent }

    func increment() { count += 1 }

    /// A timer's handler runs on the loop's thread and so may enter the actor without waiting.
    func incrementByTimer(at deadline: Instant) async -> Int {
        await withCheckedContinuation { continuation in
            loop.schedule(at: deadline) {
                self.assumeIsolated { resident in
                    resident.increment()
                    continuation.resume(returning: resident.count)
                }
            }
        }
    }
}

/// A pipe that closes with the test.
private final class Pipe: Sendable {
    let read: CInt
    let write: CInt

    init() throws {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError.last("pipe") }
        (read, write) = (ends[0], ends[1])
    }

    func send(_ count: Int = 1) { _ = Glibc.write(write, [UInt8](repeating: 0, count: count), count) }

    func take() {
        var byte: UInt8 = 0
        _ = Glibc.read(read, &byte, 1)
    }

    deinit {
        close(read)
        close(write)
    }
}

@Suite struct EventLoopTests {
    private let loop: EventLoop
    private let time = SystemTimeSource()

    init() throws {
        loop = try EventLoop(name: "test-loop")
    }

    @Test func anActorRunsOnTheThreadOfItsLoop() async {
        let resident = Resident(on: loop)
        #expect(await resident.isOnLoop())
        #expect(!loop.isCurrent)
        #expect(await resident.incrementByTimer(at: Instant(nanoseconds: 0)) == 1)
        loop.stop()
    }

    @Test func jobsOfManyTasksNeverRunAtTheSameTime() async {
        let resident = Resident(on: loop)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { for _ in 0..<100 { await resident.increment() } }
            }
        }
        #expect(await resident.count == 5_000)
        loop.stop()
    }

    @Test func readinessIsReportedUntilItIsUsedUp() async throws {
        let pipe = try Pipe()
        let (events, continuation) = AsyncStream.makeStream(of: EventLoop.Readiness.self)
        let remaining = Mutex(3)
        try loop.watch(pipe.read, for: .readable) { [loop] readiness in
            pipe.take()
            continuation.yield(readiness)
            let isLast = remaining.withLock { count in
                count -= 1
                return count == 0
            }
            guard isLast else { return }
            loop.unwatch(pipe.read)
            continuation.finish()
        }
        pipe.send(5)
        var seen: [EventLoop.Readiness] = []
        for await event in events { seen.append(event) }
        #expect(seen == [.readable, .readable, .readable])
        loop.stop()
    }

    @Test func aHangUpIsReportedWhateverWasAskedFor() async throws {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let (events, continuation) = AsyncStream.makeStream(of: EventLoop.Readiness.self)
        try loop.watch(reader, for: .readable) { [loop] readiness in
            loop.unwatch(reader)
            continuation.yield(readiness)
            continuation.finish()
        }
        close(writer)
        var seen: [EventLoop.Readiness] = []
        for await event in events { seen.append(event) }
        #expect(seen.count == 1)
        #expect(seen.first?.isDisjoint(with: .failed) == false)
        close(reader)
        loop.stop()
    }

    @Test func aDescriptorThatWasClosedUnderOurFeetCanBeWatchedAgain() async throws {
        let first = try Pipe()
        try loop.watch(first.read, for: .readable) { _ in }
        // The same number for another file: epoll has dropped the old one by itself.
        let second = try Pipe()
        #expect(dup2(second.read, first.read) == first.read)
        let (events, continuation) = AsyncStream.makeStream(of: Int.self)
        try loop.watch(first.read, for: .readable) { [loop] _ in
            loop.unwatch(first.read)
            continuation.yield(1)
            continuation.finish()
        }
        second.send()
        var count = 0
        for await number in events { count += number }
        #expect(count == 1)
        loop.stop()
    }

    @Test func aDescriptorThatCannotBeWatchedIsAnError() throws {
        let file = try Descriptor(opening: "/proc/self/stat", flags: O_RDONLY)
        let number = file.number
        let error = #expect(throws: SystemError.self) { try loop.watch(number, for: .readable) { _ in } }
        #expect(error?.errno == EPERM)
        let closed = #expect(throws: SystemError.self) { try loop.watch(9_999, for: .readable) { _ in } }
        #expect(closed?.errno == EBADF)
        loop.unwatch(9_999)
        loop.stop()
    }

    @Test func timersFireInTheOrderOfTheirDeadlinesAndNeverEarly() async {
        let start = time.now
        let (events, continuation) = AsyncStream.makeStream(of: (number: Int, early: Bool).self)
        for number in (0..<40).reversed() {
            let deadline = start + .milliseconds(Int64(number))
            loop.schedule(at: deadline) { [time] in continuation.yield((number, time.now < deadline)) }
        }
        loop.schedule(at: start + .milliseconds(60)) { continuation.finish() }
        var order: [Int] = []
        for await event in events {
            order.append(event.number)
            #expect(!event.early)
        }
        #expect(order == Array(0..<40))
        loop.stop()
    }

    @Test func aCancelledTimerNeverFiresAndTheOthersDo() async {
        let start = time.now
        let (events, continuation) = AsyncStream.makeStream(of: Int.self)
        let timers = (0..<100).map { number in
            loop.schedule(at: start + .milliseconds(200 + Int64(number % 7))) { continuation.yield(number) }
        }
        for (number, timer) in timers.enumerated() where number.isMultiple(of: 3) { loop.cancel(timer) }
        loop.cancel(timers[0])
        loop.schedule(at: start + .milliseconds(220)) { continuation.finish() }
        var fired: Set<Int> = []
        for await number in events { fired.insert(number) }
        #expect(fired == Set((0..<100).filter { !$0.isMultiple(of: 3) }))
        loop.stop()
    }

    @Test func anEarlierTimerWakesALoopThatSleepsUntilALaterOne() async {
        let start = time.now
        loop.schedule(at: start + .seconds(3_600)) { Issue.record("an hour has not passed") }
        let resident = Resident(on: loop)
        // The loop has run this job and sleeps again when the next timer comes.
        #expect(await resident.isOnLoop())
        #expect(await resident.incrementByTimer(at: start + .milliseconds(20)) == 1)
        #expect(time.now - start < .seconds(60))
        loop.stop()
    }

    @Test func aTimerSetByATimerFires() async {
        let (events, continuation) = AsyncStream.makeStream(of: Int.self)
        loop.schedule(at: time.now) { [loop, time] in
            continuation.yield(1)
            loop.schedule(at: time.now) {
                continuation.yield(2)
                loop.schedule(at: time.now + .milliseconds(1)) {
                    continuation.yield(3)
                    continuation.finish()
                }
            }
        }
        var order: [Int] = []
        for await number in events { order.append(number) }
        #expect(order == [1, 2, 3])
        loop.stop()
    }

    @Test func aStoppedLoopLetsGoOfItsThreadAndItsHandlers() async throws {
        final class Held: Sendable {}
        var held: Held? = Held()
        weak let watched = held
        var short: EventLoop? = try EventLoop(name: "short-lived")
        weak let loop = short
        short?.schedule(at: time.now + .seconds(3_600)) { [held] in _ = held }
        held = nil
        short?.stop()
        short = nil
        let deadline = time.now + .seconds(20)
        while loop != nil || watched != nil, time.now < deadline { try await time.sleep(for: .milliseconds(1)) }
        #expect(loop == nil)
        #expect(watched == nil)
    }
}
