package import Contracts

/// The exit codes of DESIGN section 4, in one place.
package enum RunExitCode: Int32, Sendable, CaseIterable {
    case pass = 0
    case fail = 1
    /// Invalid file or usage, a refused target: nothing was touched.
    case invalid = 2
    case inconclusive = 3
    /// Ended by a stop condition or a person.
    case stopped = 4
    /// The tool or its environment failed.
    case environment = 5
    /// Clean-up is not confirmed; wins over all others.
    case leftover = 6

    /// The code of a finished run.
    package static func code(verdict: Verdict, abort: AbortReason?, leftovers: [Leftover]) -> Int32 {
        if !leftovers.isEmpty { return RunExitCode.leftover.rawValue }
        switch abort {
        case .signal(let number): return 128 + number
        case .stopCondition: return RunExitCode.stopped.rawValue
        case .refused: return RunExitCode.invalid.rawValue
        case .environment, .controllerDied: return RunExitCode.environment.rawValue
        case .steadyStateNotReached, .injectionFailed, .maxDurationReached: return RunExitCode.inconclusive.rawValue
        case nil: break
        }
        switch verdict {
        case .pass: return RunExitCode.pass.rawValue
        case .fail: return RunExitCode.fail.rawValue
        case .inconclusive: return RunExitCode.inconclusive.rawValue
        }
    }
}
