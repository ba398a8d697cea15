internal import Basics
internal import Contracts
internal import Glibc

/// Why a connection or a datagram did not get through, in the short words of a history.
enum NetworkFailure {
    static func reason(_ code: CInt) -> Label {
        switch code {
        case ECONNREFUSED: "refused"
        case ECONNRESET, ECONNABORTED: "reset"
        case ETIMEDOUT: "timeout"
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN: "unreachable"
        case EACCES, EPERM: "prohibited"
        case EAFNOSUPPORT: "no-common-address"
        default: Label("errno-\(code)")
        }
    }
}
