internal import Basics

/// The keys of the file format itself: one definition for reading, for the schema and for the tests of both.
enum ExperimentKeys {
    static let title = Parameter<String>.required("title", .text, "what happens and what is expected, in one sentence")
    static let description = Parameter<String?>.optional("description", .text, "why, and what the system must do")
    static let tags = Parameter<[String]?>.optional("tags", .list(.text), "words to find experiments by: dr, gate")
    static let runbook = Parameter<String?>.optional(
        "runbook", .text, "the file that says what people do when this fails")
    static let configuration = Parameter<Node?>.optional(
        "configuration", .node, "variables: ${name} anywhere below; --var name=value wins")
    static let secrets = Parameter<Node?>.optional(
        "secrets", .node, "values that are revealed only where probes and faults use them, never printed")
    static let targets = Parameter<Node?>.optional("targets", .node, "what faults may act on, by name")
    static let probes = Parameter<Node?>.optional("probes", .node, "what is measured during the whole run, by name")
    static let steadyState = Parameter<Node?>.optional(
        "steady-state-hypothesis", .node, "what must hold before the first fault and again after the heal")
    static let method = Parameter<Node>.required(
        "method", .node, "the faults, in order; [] for a run that only measures")
    static let criteria = Parameter<Node?>.optional("criteria", .node, "what the run is judged by")
    static let stopConditions = Parameter<Node?>.optional(
        "stop-conditions", .node, "what ends the run early and heals at once")
    static let limits = Parameter<Node?>.optional("limits", .node, "what the run may touch at most, and never")
    static let seed = Parameter<UInt64?>.optional(
        "seed", .seed, "makes random choices of targets repeatable; without one a run draws and records its own")

    static let all: [any AnyParameter] = [
        title, description, tags, runbook, configuration, secrets, targets, probes, steadyState, method, criteria,
        stopConditions, limits, seed,
    ]
}

extension ValueType where Value == UInt64 {
    /// Any seed that a run can have drawn, so that a printed one can be pasted into the file.
    static var seed: ValueType {
        let schema: JSONValue = .object(["type": .string("integer"), "minimum": .integer(0)])
        return ValueType(
            scalar: "a whole number from 0 to \(UInt64.max)", schema: orVariable(schema), placeholder: 0
        ) { UInt64($0.text) }
    }
}

/// The keys of a fault plan.
enum PlanKeys {
    static let parameters = Parameter<Node?>.optional(
        "parameters", .node, "variables that 'with' sets where the plan is included, with their defaults")
    static let targets = Parameter<Node?>.optional(
        "targets", .node, "targets of the plan's own; others are those of the experiment")
    static let method = Parameter<Node>.required("method", .node, "the faults, in order")

    static let all: [any AnyParameter] = [
        ExperimentKeys.title, ExperimentKeys.description, parameters, ExperimentKeys.configuration, targets, method,
    ]

    static let fallback = Parameter<String?>.optional("default", .anyText, "used when 'with' does not set it")
    static let summary = Parameter<String?>.optional("description", .text, "what it is for")
    static let parameter: [any AnyParameter] = [fallback, summary]
}

/// The keys of a step of the method that are not parameters of its fault.
enum StepKeys {
    static let name = Parameter<String?>.optional("name", .name, "unique in the file; default: the kind of the fault")
    static let fault = Parameter<String>.required("fault", .text, "the kind of fault: squall list faults")
    static let target = Parameter<Located<String>?>.optional("target", .located(.text), "the name of a target")
    static let between = Parameter<Between?>.optional("between", .between, "the two sides of a fault between targets")
    static let duration = Parameter<Located<Span>?>.optional(
        "duration", .located(.span), "when the fault heals by itself; default: at the end of the method")
    static let startAfter = Parameter<[Located<String>]?>.optional(
        "start-after", .list(.located(.text)), "steps that come first; default: the step before this one")
    static let delay = Parameter<Span>.defaulted(
        "delay", .span, to: .zero, written: "0s", "how long to wait when the step could start")
    static let with = Parameter<Node?>.optional(
        "with", .node, "parameters of the fault, for those whose name is also a key of a step")

    static let all: [any AnyParameter] = [name, fault, target, between, duration, startAfter, delay, with]

    /// The two sides of a fault.
    struct Between: Sendable {
        var a: Located<String>
        var b: Located<String>
    }
}

/// The keys of a step that includes a fault plan.
enum InclusionKeys {
    static let plan = Parameter<Located<String>>.required(
        "plan", .located(.text), "the plan's file, relative to this file or to the current folder")
    static let name = Parameter<String?>.optional("name", .name, "prefix of its steps; default: the file's name")
    static let with = Parameter<[LocatedEntry<String>]?>.optional(
        "with", .entries(.anyText), "values for the plan's variables")

    static let all: [any AnyParameter] = [plan, name, with, StepKeys.startAfter, StepKeys.delay]
}

extension ValueType where Value == StepKeys.Between {
    static var between: ValueType {
        let a = Parameter<Located<String>>.required("a", .located(.text), "the name of a target")
        let b = Parameter<Located<String>>.required("b", .located(.text), "the name of a target")
        return .record([a, b], placeholder: StepKeys.Between(a: a.fallback, b: b.fallback)) { reader in
            StepKeys.Between(a: reader.value(a), b: reader.value(b))
        }
    }
}

/// The keys of a target that are not a target source.
enum TargetKeys {
    enum Mode: String, Sendable, CaseIterable {
        case all
        case one
        case fixed
        case fixedPercent = "fixed-percent"
        case randomMaxPercent = "random-max-percent"
    }

    static let from = Parameter<Located<String>?>.optional(
        "from", .located(.text), "a probe that reports states; resolved when the fault is injected")
    static let role = Parameter<String?>.optional("is", .text, "with from: the state, for example primary")
    static let mode = Parameter<Mode>.defaulted(
        "mode", .choice(.all), to: .all, written: "all", "how many of those that match are taken")
    static let value = Parameter<Located<String>?>.optional(
        "value", .located(.text), "with fixed: how many; with the percent modes: which share, for example 50%")

    static let selection: [any AnyParameter] = [mode, value]
    static let all: [any AnyParameter] = [from, role, mode, value]
}

/// The keys of a probe that are not parameters of its kind.
enum ProbeKeys {
    static let type = Parameter<String>.required("type", .text, "the kind of probe: squall list probes")
    static let all: [any AnyParameter] = [type]
}

/// The keys of the steady state and its expectations.
enum SteadyStateKeys {
    static let title = Parameter<String>.defaulted(
        "title", .text, to: "the steady state holds", written: "the steady state holds", "what holds, in words")
    static let holdFor = Parameter<Span>.defaulted(
        "for", .span, to: .seconds(10), written: "10s", "how long all of it must hold without a break")
    static let probes = Parameter<[Node]>.required("probes", .list(.node), "probes with their tolerances")
    static let all: [any AnyParameter] = [title, holdFor, probes]

    static let probe = Parameter<Located<String>>.required("probe", .located(.text), "the name of a probe")
    static let tolerance = Parameter<[LocatedEntry<Comparison>]>.required(
        "tolerance", .entries(.comparison), "metrics with what they must be: {success: \">= 99.9%\"}")
    static let expectation: [any AnyParameter] = [probe, tolerance]
}

/// The keys of a stop condition.
enum StopKeys {
    static let probe = Parameter<Located<String>>.required("probe", .located(.text), "the name of a probe")
    static let when = Parameter<Located<MetricCondition>>.required(
        "when", .located(.metricCondition), "a metric and a comparison: success < 1%")
    static let holdFor = Parameter<Span>.defaulted(
        "for", .span, to: .seconds(10), written: "10s", "how long it must be so without a break")
    static let all: [any AnyParameter] = [probe, when, holdFor]
}

/// The keys that every criterion has.
enum CriterionKeys {
    static let name = Parameter<String?>.optional("name", .name, "unique in the file; default: the kind")
    static let probe = Parameter<Located<String>?>.optional("probe", .located(.text), "the name of the judged probe")
    static let after = Parameter<Located<String>?>.optional(
        "after", .located(.text), "count from the fault of this step; default: the first fault with an effect")
    static let all: [any AnyParameter] = [name, probe, after]
}

/// The keys of the limits.
enum LimitKeys {
    static let maxTargets = Parameter<Int?>.optional(
        "max-targets", .integer(1...1_000_000), "how many different targets the whole run may touch")
    static let maxDuration = Parameter<Span>.defaulted(
        "max-duration", .span, to: .minutes(30), written: "30m", "the longest time from the first fault to the heal")
    static let protect = Parameter<Protection>.defaulted(
        "protect", .protection, to: Protection(), written: "nothing", "what no fault may ever touch")
    static let irreversible = Parameter<Limits.Irreversible>.defaulted(
        "irreversible", .choice(.allowed), to: .allowed, written: "allowed",
        "whether a fault may be used that nothing takes back (a failover, a terminated instance): allowed or forbidden")
    static let all: [any AnyParameter] = [maxTargets, maxDuration, protect, irreversible]

    /// Targets that are refused whatever selects them.
    struct Protection: Sendable {
        var labels: [NamedValue<String>] = []
        var names: [String] = []
    }
}

extension ValueType where Value == LimitKeys.Protection {
    static var protection: ValueType {
        let labels = Parameter<[NamedValue<String>]?>.optional("labels", .map(.text), "every target with one of these")
        let names = Parameter<[String]?>.optional("names", .list(.text), "every target with one of these names")
        return .record([labels, names], placeholder: LimitKeys.Protection()) { reader in
            LimitKeys.Protection(labels: reader.value(labels) ?? [], names: reader.value(names) ?? [])
        }
    }
}
