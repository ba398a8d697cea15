package import Basics
package import Contracts
package import Experiment

/// Which servers a probe asks, how often, and how long it waits for each; what roles, Sentinels and clusters have in common.
package struct NodeSampling: Sendable {
    /// The parameters as one probe words them.
    struct Form {
        let nodes: Parameter<[NamedValue<RedisURL>]>
        let every: Parameter<Span>
        let timeout = Parameter<Span>.defaulted(
            "timeout", .span, to: .seconds(1), written: "1s", "After this one that does not answer is unreachable.")

        init(nodes summary: String, every: Span, written: String) {
            nodes = .required("nodes", .map(.redis), summary)
            self.every = .defaulted(
                "every", .span, to: every, written: written, "The time from one question to the next.")
        }

        var parameters: [any AnyParameter] { [nodes, every, timeout] }
    }

    package let nodes: [NamedValue<RedisURL>]
    package let every: Span
    package let timeout: Span

    init(_ form: Form, from reader: inout ParameterReader) {
        nodes = reader.value(form.nodes)
        every = reader.value(form.every)
        timeout = reader.value(form.timeout)
        if nodes.isEmpty { reader.diagnostics.error("no node is listed", at: reader.location(of: form.nodes.key)) }
        if every <= .zero || timeout <= .zero {
            reader.diagnostics.error("every and timeout must be longer than nothing", at: reader.location)
        }
    }
}

/// A probe that does nothing but ask its nodes, each by itself.
package protocol SamplingProbe: Probe {
    var sampling: NodeSampling { get }
}

extension SamplingProbe {
    package var nodes: [NamedValue<RedisURL>] { sampling.nodes }
    package var every: Span { sampling.every }
    package var timeout: Span { sampling.timeout }
    package var watchedNodes: [Label] { nodes.map { Label($0.name) } }

    package func target(forNode node: Label) -> Target? {
        nodes.first { $0.name == node.text }.map { RedisTarget.target(named: node, at: $0.value) }
    }
}
