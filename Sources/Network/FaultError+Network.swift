internal import Contracts
internal import Glibc

extension FaultError {
    /// A failed request to the kernel as a fault's failure: what was to be done, where, why not, and what to do next.
    init(_ action: String, on target: String, _ error: NetworkError) {
        let code: Code =
            switch error.code {
            case .denied: .denied
            case .notFound: .notFound
            case .exists: .foreignState
            case .timeout: .timeout
            case .unsupported: .notApplicable
            case .tooLarge, .invalid, .unexpected: .unexpected
            }
        let advice =
            switch error.code {
            case .denied: Capabilities.advice
            case .unsupported: "this kernel lacks nf_tables: modprobe nf_tables"
            case .exists, .notFound, .tooLarge, .timeout, .invalid, .unexpected: ""
            }
        self.init(code, "cannot \(action) on \(target)", advice: advice, underlying: error)
    }
}
