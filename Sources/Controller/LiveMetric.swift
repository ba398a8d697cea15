internal import Basics
internal import Contracts

/// A metric's name, understood once: conditions are looked at four times a second.
package struct LiveMetric: Sendable, Hashable {
    /// What it means over operations.
    enum OfOperations: Sendable, Hashable {
        case samples
        case success
        case rate
        case max
        /// From 0 to 100.
        case percentile(Double)
    }

    /// What it means over the newest sample of each node.
    enum OfStates: Sendable, Hashable {
        case nodes
        case state
        case count(Label)
    }

    package static let success = LiveMetric("success")

    /// What a measurement of it is called.
    let name: Label
    /// nil when it is none of operations.
    let ofOperations: OfOperations?
    let ofStates: OfStates

    package init(_ text: String) {
        name = Label(text)
        ofOperations = MetricCatalog.operations.contains(text) ? Self.operations(text) : nil
        ofStates =
            switch text {
            case "nodes": .nodes
            case "state": .state
            case "primaries": .count(StateSample.primary)
            case "replicas": .count(StateSample.replica)
            default: .count(Label(text))
            }
    }

    private static func operations(_ text: String) -> OfOperations? {
        switch text {
        case "samples": .samples
        case "success": .success
        case "rate": .rate
        case "max": .max
        default: Double(text.dropFirst()).map(OfOperations.percentile)
        }
    }
}
