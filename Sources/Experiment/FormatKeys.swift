internal import Basics

/// The keys of the file format itself: one definition for reading, for the schema and for the tests of both.
enum ExperimentKeys {
    static let title = Parameter<String>.required("title", .text, "What happens and what is expected, in one sentence.")
    static let description = Parameter<String?>.optional("description", .text, "Why, and what the system must do.")
    static let tags = Parameter<[String]?>.optional("tags", .list(.text), "Words to find experiments by: dr, gate.")
    static let runbook = Parameter<String?>.optional(
        "runbook", .text, "The file that says what people do when this fails.")
    static let configuration = Parameter<Node?>.optional(
        "configuration", .node, "Variables: ${name} anywhere below; --var name=value wins.")
    static let secrets = Parameter<Node?>.optional(
        "secrets", .node, "Values that are revealed only where probes and faults use them, never printed.")
    static let targets = Parameter<Node?>.optional("targets", .node, "What faults may act on, by name.")
    static let probes = Parameter<Node?>.optional("probes", .node, "What is measured during the whole run, by name.")
    static let steadyState = Parameter<Node?>.optional(
        "steady-state-hypothesis", .node, "What must hold before the first fault and again after the heal.")
    static let method = Parameter<Node>.required(
        "method", .node, "The faults, in order; [] for a run that only measures.")
    static let criteria = Parameter<Node?>.optional("criteria", .node, "What the run is judged by.")
    static let stopConditions = Parameter<Node?>.optional(
        "stop-conditions", .node, "What ends the run early and heals at once.")
    static let limits = Parameter<Node?>.optional("limits", .node, "What the run may touch at most, and never.")
    static let seed = Parameter<Int?>.optional(
        "seed", .integer(), "Makes random choices of targets repeatable; without one a run draws and records its own.")

    static let all: [any AnyParameter] = [
        title, description, tags, runbook, configuration, secrets, targets, probes, steadyState, method, criteria,
        stopConditions, limits, seed,
    ]
}

/// The keys of a fault plan.
enum PlanKeys {
    static let parameters = Parameter<Node?>.optional(
        "parameters", .node, "Variables that 'with' sets where the plan is included, with their defaults.")
    static let targets = Parameter<Node?>.optional(
        "targets", .node, "Targets of the plan's own; others are those of the experiment.")
    static let method = Parameter<Node>.required("method", .node, "The faults, in order.")

    static let all: [any AnyParameter] = [
        ExperimentKeys.title, ExperimentKeys.description, parameters, ExperimentKeys.configuration, targets, method,
    ]

    static let fallback = Parameter<String?>.optional("default", .anyText, "Used when 'with' does not set it.")
    static let summary = Parameter<String?>.optional("description", .text, "What it is for.")
    static let parameter: [any AnyParameter] = [fallback, summary]
}

/// The keys of a step of the method that are not parameters of its fault.
enum StepKeys {
    static let name = Parameter<String?>.optional("name", .name, "Unique in the file. Default: the kind of the fault.")
    static let fault = Parameter<String>.required("fault", .text, "The kind of fault: squall list faults")
    static let target = Parameter<Located<String>?>.optional("target", .located(.text), "The name of a target.")
    static let between = Parameter<Between?>.optional("between", .between, "The two sides of a fault between targets.")
    static let duration = Parameter<Span?>.optional(
        "duration", .span, "When the fault heals by itself. Default: at the end of the method.")
    static let startAfter = Parameter<[Located<String>]?>.optional(
        "start-after", .list(.located(.text)), "Steps that come first. Default: the step before this one.")
    static let delay = Parameter<Span>.defaulted(
        "delay", .span, to: .zero, written: "0s", "How long to wait when the step could start.")
    static let with = Parameter<Node?>.optional(
        "with", .node, "Parameters of the fault, for those whose name is also a key of a step.")

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
        "plan", .located(.text), "The plan's file, relative to this file or to the current folder.")
    static let name = Parameter<String?>.optional("name", .name, "Prefix of its steps. Default: the file's name.")
    static let with = Parameter<[LocatedEntry<String>]?>.optional(
        "with", .entries(.anyText), "Values for the plan's variables.")

    static let all: [any AnyParameter] = [plan, name, with, StepKeys.startAfter, StepKeys.delay]
}

extension ValueType where Value == StepKeys.Between {
    static var between: ValueType {
        let a = Parameter<Located<String>>.required("a", .located(.text), "The name of a target.")
        let b = Parameter<Located<String>>.required("b", .located(.text), "The name of a target.")
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
        "from", .located(.text), "A probe that reports states; resolved when the fault is injected.")
    static let role = Parameter<String?>.optional("is", .text, "With from: the state, for example primary.")
    static let mode = Parameter<Mode>.defaulted(
        "mode", .choice(.all), to: .all, written: "all", "How many of those that match are taken.")
    static let value = Parameter<Located<String>?>.optional(
        "value", .located(.text), "With fixed: how many; with the percent modes: which share, for example 50%.")

    static let selection: [any AnyParameter] = [mode, value]
    static let all: [any AnyParameter] = [from, role, mode, value]
}

/// The keys of a probe that are not parameters of its kind.
enum ProbeKeys {
    static let type = Parameter<String>.required("type", .text, "The kind of probe: squall list probes")
    static let all: [any AnyParameter] = [type]
}

/// The keys of the steady state and its expectations.
enum SteadyStateKeys {
    static let title = Parameter<String>.defaulted(
        "title", .text, to: "the steady state holds", written: "the steady state holds", "What holds, in words.")
    static let holdFor = Parameter<Span>.defaulted(
        "for", .span, to: .seconds(10), written: "10s", "How long all of it must hold without a break.")
    static let probes = Parameter<[Node]>.required("probes", .list(.node), "Probes with their tolerances.")
    static let all: [any AnyParameter] = [title, holdFor, probes]

    static let probe = Parameter<Located<String>>.required("probe", .located(.text), "The name of a probe.")
    static let tolerance = Parameter<[LocatedEntry<Comparison>]>.required(
        "tolerance", .entries(.comparison), "Metrics with what they must be: {success: \">= 99.9%\"}.")
    static let expectation: [any AnyParameter] = [probe, tolerance]
}

/// The keys of a stop condition.
enum StopKeys {
    static let probe = Parameter<Located<String>>.required("probe", .located(.text), "The name of a probe.")
    static let when = Parameter<Located<MetricCondition>>.required(
        "when", .located(.metricCondition), "A metric and a comparison: success < 1%.")
    static let holdFor = Parameter<Span>.defaulted(
        "for", .span, to: .seconds(10), written: "10s", "How long it must be so without a break.")
    static let all: [any AnyParameter] = [probe, when, holdFor]
}

/// The keys that every criterion has.
enum CriterionKeys {
    static let name = Parameter<String?>.optional("name", .name, "Unique in the file. Default: the kind.")
    static let probe = Parameter<Located<String>?>.optional("probe", .located(.text), "The name of the judged probe.")
    static let after = Parameter<Located<String>?>.optional(
        "after", .located(.text), "Count from the fault of this step. Default: the first fault with an effect.")
    static let all: [any AnyParameter] = [name, probe, after]
}

/// The keys of the limits.
enum LimitKeys {
    static let maxTargets = Parameter<Int?>.optional(
        "max-targets", .integer(1...1_000_000), "How many different targets the whole run may touch.")
    static let maxDuration = Parameter<Span>.defaulted(
        "max-duration", .span, to: .minutes(30), written: "30m", "The longest time from the first fault to the heal.")
    static let protect = Parameter<Protection>.defaulted(
        "protect", .protection, to: Protection(), written: "nothing", "What no fault may ever touch.")
    static let all: [any AnyParameter] = [maxTargets, maxDuration, protect]

    /// Targets that are refused whatever selects them.
    struct Protection: Sendable {
        var labels: [NamedValue<String>] = []
        var names: [String] = []
    }
}

extension ValueType where Value == LimitKeys.Protection {
    static var protection: ValueType {
        let labels = Parameter<[NamedValue<String>]?>.optional("labels", .map(.text), "Every target with one of these.")
        let names = Parameter<[String]?>.optional("names", .list(.text), "Every target with one of these names.")
        return .record([labels, names], placeholder: LimitKeys.Protection()) { reader in
            LimitKeys.Protection(labels: reader.value(labels) ?? [], names: reader.value(names) ?? [])
        }
    }
}
