internal import Basics
internal import Contracts
internal import Glibc

extension FaultError {
    /// A failed system call as a fault's failure: what was to be done, on which target, why not, and what to do next.
    init(_ action: String, on target: String, _ error: SystemError) {
        let code: Code =
            switch error.errno {
            case EPERM, EACCES: .denied
            case ESRCH, ENOENT: .notFound
            case ECANCELED: .cancelled
            case ETIMEDOUT: .timeout
            default: .unexpected
            }
        self.init(
            code, "cannot \(action) on \(target)",
            advice: code == .denied ? "run squall as root or with CAP_KILL and CAP_SYS_PTRACE" : "", underlying: error)
    }
}

/// Runs system calls of a fault and names the action and the target in what they throw.
func failing<Value>(
    _ action: String, on target: String, _ body: () throws(SystemError) -> Value
) throws(FaultError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw FaultError(action, on: target, error)
    }
}
