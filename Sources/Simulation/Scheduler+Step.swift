internal import Basics
internal import Synchronization

extension Scheduler {
    /// What the world does next.
    enum Next: Sendable {
        case job(UnownedJob, UnownedTaskExecutor?)
        case bury(Task<Void, Never>?)
        case kill(Int)
        case resume(Due)
        case event(@Sendable () -> Void)
        case nothing
    }

    /// The waits that end at one instant; nearly always it is a single one, which needs no array.
    struct Due: Sendable {
        private var first: UnsafeContinuation<Wake, Never>?
        private var others: [UnsafeContinuation<Wake, Never>] = []

        var isEmpty: Bool { first == nil }

        mutating func append(_ continuation: UnsafeContinuation<Wake, Never>) {
            if first == nil { first = continuation } else { others.append(continuation) }
        }

        func resume() {
            first?.resume(returning: .deadline)
            for continuation in others { continuation.resume(returning: .deadline) }
        }
    }

    /// A ghost that runs on and on does not react to cancellation, which is a finding.
    static let mostGhostJobs = 200_000

    /// Runs one job, or lets time pass to the next wait; false when nothing will ever happen again, or when it is over.
    func step(unless isOver: (borrowing State) -> Bool) -> Bool {
        let next = state.withLock { state in
            let next = isOver(state) ? .nothing : state.next()
            clock.store(state.now.nanoseconds, ordering: .relaxed)
            return next
        }
        switch next {
        case .job(let job, let executor?): job.runSynchronously(on: executor)
        case .job(_, nil): return false
        case .bury(let root): root?.cancel()
        case .kill(let process): kill(process)
        case .resume(let due): due.resume()
        case .event(let body): body()
        case .nothing: return false
        }
        return true
    }
}

extension Scheduler.State {
    mutating func next() -> Scheduler.Next {
        if let process = doomed.popLast() { return .bury(processes[process].root) }
        if let ghost = ghosts.popLast() {
            ghostJobs += 1
            if ghostJobs > Scheduler.mostGhostJobs { return .nothing }
            return .job(ghost.job, processes[ghost.process].executor)
        }
        ghostJobs = 0
        guard !ready.isEmpty else { return passTime() }
        let index = ready.count == 1 ? 0 : Int(generator.next() % UInt64(ready.count))
        let (job, process) = ready[index]
        processes[process].jobsToLive -= 1
        if processes[process].jobsToLive <= 0 {
            processes[process].jobsToLive = .max
            return .kill(process)
        }
        ready.swapAt(index, ready.count - 1)
        ready.removeLast()
        jobs += 1
        mix(UInt64(process) &+ UInt64(index) << 8 &+ UInt64(bitPattern: now.nanoseconds) << 16)
        return .job(job, processes[process].executor)
    }

    /// All waits of one instant end together, so that their order is drawn as well.
    private mutating func passTime() -> Scheduler.Next {
        var due = Scheduler.Due()
        while let first = timers.first {
            guard slots[first.slot].number == first.number else {
                _ = timers.pop()
                continue
            }
            if !due.isEmpty, first.deadline > now.nanoseconds { break }
            _ = timers.pop()
            switch slots[first.slot].waiting {
            case .nothing, .reserved, .cancelledEarly: continue
            case .event(let body):
                guard due.isEmpty else {
                    timers.push(first)
                    return .resume(due)
                }
                now = max(now, Instant(nanoseconds: first.deadline))
                release(first.slot)
                return .event(body)
            case .wait(let continuation, let process):
                now = max(now, Instant(nanoseconds: first.deadline))
                release(first.slot)
                if processes[process].life == .frozen {
                    processes[process].heldWaits.append(continuation)
                } else {
                    due.append(continuation)
                }
            }
        }
        return due.isEmpty ? .nothing : .resume(due)
    }
}
