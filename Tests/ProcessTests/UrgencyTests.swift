import Basics
import CLinux
import Glibc
import Testing

/// The medic stands before all usual processes; what it calls must not.
@Suite(.enabled(if: geteuid() == 0, "needs CAP_SYS_NICE")) struct UrgencyTests {
    @Test func aProgramThatAnUrgentThreadStartsIsNotUrgent() async throws {
        let child = try urgently {
            try Child.python("import os, time; print(os.sched_getscheduler(0), flush=True); time.sleep(60)")
        }
        #expect(try await child.readLine() == "\(SCHED_OTHER)")
    }

    /// Only this thread: the tests beside it go on as before.
    private func urgently<Value>(_ body: () throws -> Value) throws -> Value {
        try set(SCHED_RR, sched_get_priority_min(SCHED_RR))
        #expect(sched_getscheduler(0) == SCHED_RR)
        let result = Result(catching: body)
        try set(SCHED_OTHER, 0)
        return try result.get()
    }

    private func set(_ policy: CInt, _ priority: CInt) throws {
        var parameters = sched_param()
        parameters.sched_priority = priority
        guard sched_setscheduler(0, policy, &parameters) == 0 else {
            throw SystemError("sched_setscheduler", errno: errno)
        }
    }
}
