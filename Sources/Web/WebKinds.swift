package import Contracts

/// What this module can look at.
package enum WebKinds {
    package static let registry = Registry(probes: [HTTPCheckProbe.self])
}
