internal import CLinux
internal import Glibc
internal import Synchronization

/// One pthread with an epoll instance: the executor of every actor that owns handles of a C library.
///
/// Blocking or polling C code must never run on Swift's cooperative pool (two blocked calls stop every probe on a
/// two-core machine), and Dispatch shares that pool's threads on Linux. An actor names a loop as its `unownedExecutor`;
/// its methods then run on the loop's thread, and so do the descriptor and timer handlers it registers.
///
/// What does thousands of small things a second with such actors prefers the loop's task executor
/// (`withTaskExecutorPreference(loop.tasks)`), and sleeps with its clock: then no thread has to wake another one.
package final class EventLoop: SerialExecutor {
    /// Which readiness a watcher waits for, and which it is told of.
    package struct Readiness: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Readiness(rawValue: UInt32(EPOLLIN.rawValue))
        package static let writable = Readiness(rawValue: UInt32(EPOLLOUT.rawValue))
        /// Error or hang-up; always reported, whatever was asked for. Either may come alone: test it with `isDisjoint`.
        package static let failed = Readiness(rawValue: UInt32(EPOLLERR.rawValue | EPOLLHUP.rawValue))
    }

    /// Names a scheduled handler so that it can be cancelled.
    package struct Timer: Sendable, Hashable {
        fileprivate let deadline: Instant
        fileprivate let number: UInt64
    }

    package typealias ReadinessHandler = @Sendable (Readiness) -> Void
    package typealias TimerHandler = @Sendable () -> Void

    private let name: String
    private let poller: CInt
    private let wakeup: CInt
    private let state = Mutex(LoopState())

    /// Starts the thread; it runs until `stop()`.
    package init(name: String) throws(SystemError) {
        self.name = name
        poller = try retryingInterrupts("epoll_create1") { epoll_create1(CInt(EPOLL_CLOEXEC)) }
        do throws(SystemError) {
            wakeup = try retryingInterrupts("eventfd") { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) }
        } catch {
            close(poller)
            throw error
        }
        var event = epoll_event(events: Readiness.readable.rawValue, data: epoll_data_t(fd: wakeup))
        guard epoll_ctl(poller, EPOLL_CTL_ADD, wakeup, &event) == 0 else { throw SystemError.last("epoll_ctl") }
        try startThread()
    }

    deinit {
        close(wakeup)
        close(poller)
    }

    private func startThread() throws(SystemError) {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(&thread, nil, eventLoopThread, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw SystemError("pthread_create", errno: result)
        }
        pthread_detach(thread)
    }

    /// Ends the thread after the handler that is running; watchers and timers are dropped.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wake()
    }

    // MARK: Executor

    package func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job), for: nil) }

    fileprivate func enqueue(_ job: UnownedJob, for tasks: UnownedTaskExecutor?) {
        let needsWake = state.withLock { state in
            state.jobs.append((job, tasks))
            // The loop itself looks for jobs before it waits.
            return state.jobs.count == 1 && state.thread != squall_gettid()
        }
        if needsWake { wake() }
    }

    /// For `withTaskExecutorPreference`: what is bound to no actor runs on the loop's thread, too.
    package var tasks: Tasks { Tasks(loop: self) }

    /// The loop as the executor of tasks. Apart from the loop itself: jobs of actors are run as they always were.
    package final class Tasks: TaskExecutor {
        private let loop: EventLoop

        fileprivate init(loop: EventLoop) {
            self.loop = loop
        }

        package func enqueue(_ job: consuming ExecutorJob) {
            loop.enqueue(UnownedJob(job), for: asUnownedTaskExecutor())
        }
    }

    package func checkIsolated() {
        precondition(isCurrent, "this code must run on the event loop '\(name)'")
    }

    /// Whether the caller runs on this loop's thread.
    package var isCurrent: Bool { state.withLock { $0.thread == squall_gettid() } }

    // MARK: Descriptors

    /// Calls `handler` on the loop's thread whenever `descriptor` is ready (level-triggered).
    package func watch(
        _ descriptor: CInt, for readiness: Readiness, _ handler: @escaping ReadinessHandler
    ) throws(SystemError) {
        let isNew = state.withLock { state in
            let isNew = state.watchers[descriptor] == nil
            state.watchers[descriptor] = handler
            return isNew
        }
        var event = epoll_event(events: readiness.rawValue, data: epoll_data_t(fd: descriptor))
        // A descriptor closed and opened again under the same number has left epoll by itself: fall back to the other call.
        let first = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        let second = isNew ? EPOLL_CTL_MOD : EPOLL_CTL_ADD
        if epoll_ctl(poller, first, descriptor, &event) == 0 { return }
        if errno == ENOENT || errno == EEXIST, epoll_ctl(poller, second, descriptor, &event) == 0 { return }
        let failure = SystemError.last("epoll_ctl", subject: "descriptor \(descriptor)")
        state.withLock { $0.watchers[descriptor] = nil }
        throw failure
    }

    /// Forgets a descriptor; call it before the descriptor is closed. A descriptor nobody watches is no error.
    package func unwatch(_ descriptor: CInt) {
        let known = state.withLock { $0.watchers.removeValue(forKey: descriptor) != nil }
        if known { epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, nil) }
    }

    // MARK: Timers

    /// Calls `handler` once on the loop's thread at or after `deadline`.
    @discardableResult
    package func schedule(at deadline: Instant, _ handler: @escaping TimerHandler) -> Timer {
        let (timer, isEarliest) = state.withLock { state in
            state.lastTimer += 1
            let timer = Timer(deadline: deadline, number: state.lastTimer)
            return (timer, state.timers.insert(timer, handler))
        }
        if isEarliest && !isCurrent { wake() }
        return timer
    }

    /// Cancels a timer; one that has fired already is no error.
    package func cancel(_ timer: Timer) {
        state.withLock { $0.timers.cancel(timer) }
    }

    // MARK: The thread

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    fileprivate func run() {
        state.withLock { $0.thread = squall_gettid() }
        squall_name_thread(name)
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        while !state.withLock({ $0.isStopped }) {
            let count = wait(&events)
            for index in 0..<max(0, Int(count)) { dispatch(events[index]) }
            fireTimers()
            runJobs()
        }
    }

    /// Until something is ready or the next timer is due. A kernel before 5.11 knows whole milliseconds only, rounded up.
    private func wait(_ events: inout [epoll_event]) -> CInt {
        guard let timeout = timeout() else { return epoll_wait(poller, &events, CInt(events.count), -1) }
        var limit = timespec(tv_sec: Int(timeout / 1_000_000_000), tv_nsec: Int(timeout % 1_000_000_000))
        let count = epoll_pwait2(poller, &events, CInt(events.count), &limit, nil)
        if count >= 0 || errno != ENOSYS { return count }
        return epoll_wait(poller, &events, CInt(events.count), CInt(clamping: (timeout + 999_999) / 1_000_000))
    }

    /// Nanoseconds until the next timer; 0 when jobs wait, nil when nothing is due.
    private func timeout() -> Int64? {
        state.withLock { state in
            if !state.jobs.isEmpty { return 0 }
            return state.timers.earliest.map { max(0, $0.nanoseconds - squall_boottime()) }
        }
    }

    private func dispatch(_ event: epoll_event) {
        if event.data.fd == wakeup {
            var count: UInt64 = 0
            _ = read(wakeup, &count, 8)
            return
        }
        let handler = state.withLock { $0.watchers[event.data.fd] }
        handler?(Readiness(rawValue: event.events))
    }

    private func fireTimers() {
        while let handler = state.withLock({ $0.timers.popDue(Instant(nanoseconds: squall_boottime())) }) { handler() }
    }

    private func runJobs() {
        let jobs = state.withLock { state in
            defer { state.jobs.removeAll(keepingCapacity: true) }
            return state.jobs
        }
        for (job, tasks) in jobs {
            if let tasks {
                job.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: tasks)
            } else {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
    }
}

private struct LoopState {
    /// With the task executor that a job came by; nil: an actor's.
    var jobs: [(job: UnownedJob, tasks: UnownedTaskExecutor?)] = []
    var watchers: [CInt: EventLoop.ReadinessHandler] = [:]
    var timers = TimerQueue()
    var lastTimer: UInt64 = 0
    var thread: pid_t = 0
    var isStopped = false
}

/// A binary heap by deadline; cancelled timers stay in the heap and are skipped when they surface.
private struct TimerQueue {
    private var heap: [EventLoop.Timer] = []
    private var handlers: [UInt64: EventLoop.TimerHandler] = [:]

    var earliest: Instant? { heap.first?.deadline }

    /// Returns whether the new timer is now the earliest.
    mutating func insert(_ timer: EventLoop.Timer, _ handler: @escaping EventLoop.TimerHandler) -> Bool {
        handlers[timer.number] = handler
        heap.append(timer)
        var child = heap.count - 1
        while child > 0, heap[child].deadline < heap[(child - 1) / 2].deadline {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return child == 0
    }

    mutating func cancel(_ timer: EventLoop.Timer) {
        handlers[timer.number] = nil
    }

    mutating func popDue(_ now: Instant) -> EventLoop.TimerHandler? {
        while let first = heap.first, first.deadline <= now || handlers[first.number] == nil {
            removeFirst()
            if let handler = handlers.removeValue(forKey: first.number) { return handler }
        }
        return nil
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].deadline < heap[left].deadline ? right : left
            if heap[parent].deadline <= heap[child].deadline { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}

/// The thread's entry point; a file-scope function because a closure formed in main-actor code would trap.
private func eventLoopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue().run()
    return nil
}
