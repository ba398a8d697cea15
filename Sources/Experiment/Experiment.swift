package import Basics

/// What an experiment file says, read and checked; fault plans are expanded, `${configuration}` is filled in.
///
/// `${secret}` stays as written: the value is revealed only where it is used, so it cannot reach any output.
package struct Experiment: Sendable {
    package var file: String
    package var title: String
    package var description: String
    package var tags: [String]
    package var runbook: String?
    package var configuration: [NamedValue<String>]
    package var secrets: [NamedValue<SecretReference>]
    package var targets: [TargetDeclaration]
    package var probes: [Declaration]
    package var steadyState: SteadyState?
    package var method: [Step]
    package var criteria: [CriterionDeclaration]
    package var stopConditions: [StopCondition]
    package var limits: Limits
    /// Seeds every random choice of the run (target selection); nil draws one, which the run records.
    package var seed: UInt64?

    package init(file: String, title: String) {
        self.file = file
        self.title = title
        description = ""
        tags = []
        configuration = []
        secrets = []
        targets = []
        probes = []
        method = []
        criteria = []
        stopConditions = []
        limits = Limits()
    }
}

/// Something of a registered kind with its parameters as written: read by the kind itself.
package struct Declaration: Sendable, Hashable {
    package var name: String
    package var kind: String
    /// The parameters without the keys that belong to the file format (`type`, `fault`, `target`, …).
    package var parameters: Node
    package var location: Location

    package init(name: String, kind: String, parameters: Node, location: Location) {
        self.name = name
        self.kind = kind
        self.parameters = parameters
        self.location = location
    }
}

/// A named selection of targets.
package struct TargetDeclaration: Sendable, Hashable {
    /// How it is found.
    package enum Source: Sendable, Hashable {
        /// A registered source (`docker: {...}`).
        case kind(Declaration)
        /// Nodes in a role that a probe reports (`from: roles, is: primary`).
        case probe(name: String, role: String)
    }

    package var name: String
    package var source: Source
    package var mode: SelectionMode
    package var location: Location
    /// Where the source is written, for findings about it.
    package var sourceLocation: Location?

    package init(
        name: String, source: Source, mode: SelectionMode, location: Location, sourceLocation: Location? = nil
    ) {
        self.name = name
        self.source = source
        self.mode = mode
        self.location = location
        self.sourceLocation = sourceLocation
    }
}

/// How many of the targets that match are taken.
package enum SelectionMode: Sendable, Hashable, Codable {
    case all
    case one
    case fixed(Int)
    case fixedPercent(Share)
    case randomMaxPercent(Share)
}

/// One fault of the method.
package struct Step: Sendable, Hashable {
    package var name: String
    package var fault: Declaration
    /// Role in the fault (`target`, or `a`, `b` of `between`) → name of a declared target; empty for faults without one.
    package var targets: [NamedValue<String>]
    /// nil: the fault stays until the healing phase.
    package var duration: Span?
    /// nil: as soon as the step before is confirmed; a list: as soon as all of these are.
    package var startAfter: [String]?
    package var delay: Span

    package init(
        name: String, fault: Declaration, targets: [NamedValue<String>], duration: Span?, startAfter: [String]?,
        delay: Span
    ) {
        self.name = name
        self.fault = fault
        self.targets = targets
        self.duration = duration
        self.startAfter = startAfter
        self.delay = delay
    }

    package var location: Location { fault.location }
}

/// What must hold before the fault, and again after the heal.
package struct SteadyState: Sendable, Hashable {
    package var title: String
    /// How long the conditions must hold without a break.
    package var holdFor: Span
    package var expectations: [Expectation]

    package init(title: String, holdFor: Span, expectations: [Expectation]) {
        self.title = title
        self.holdFor = holdFor
        self.expectations = expectations
    }
}

/// A probe's metrics against their tolerances.
package struct Expectation: Sendable, Hashable {
    package var probe: String
    package var tolerance: [MetricCondition]
    package var location: Location

    package init(probe: String, tolerance: [MetricCondition], location: Location) {
        self.probe = probe
        self.tolerance = tolerance
        self.location = location
    }
}

/// `success >= 99.9%`
package struct MetricCondition: Sendable, Hashable, Codable, CustomStringConvertible {
    package var metric: String
    package var comparison: Comparison

    package init(metric: String, comparison: Comparison) {
        self.metric = metric
        self.comparison = comparison
    }

    package var description: String {
        comparison.relation == .equal ? "\(metric) == \(comparison.bound)" : "\(metric) \(comparison)"
    }
}

/// A criterion as written: its kind (`rto`, `rpo`, …), the probe it judges, and the parameters of that kind.
package struct CriterionDeclaration: Sendable, Hashable {
    package var kind: String
    /// The probe it judges; nil for criteria without one (`recovery`).
    package var probe: String?
    /// Count from this step's fault; nil: from the first proven one.
    package var after: String?
    /// The declaration's name is the criterion's name: its kind, or kind and number when there are several. Its
    /// parameters are those of the kind, without `probe`, `after` and `name`.
    package var declaration: Declaration

    package init(kind: String, probe: String? = nil, after: String? = nil, declaration: Declaration) {
        self.kind = kind
        self.probe = probe
        self.after = after
        self.declaration = declaration
    }
}

/// Ends the run early when a probe's metric breaks for the stated time.
package struct StopCondition: Sendable, Hashable {
    package var probe: String
    package var when: MetricCondition
    package var holdFor: Span
    package var location: Location

    package init(probe: String, when: MetricCondition, holdFor: Span, location: Location) {
        self.probe = probe
        self.when = when
        self.holdFor = holdFor
        self.location = location
    }
}

/// The blast radius: what a run may touch at most, and what it must never touch.
package struct Limits: Sendable, Hashable {
    /// Distinct targets in the whole run; nil: no limit.
    package var maxTargets: Int?
    /// The run's longest time from the first fault to the start of healing.
    package var maxDuration: Span
    package var protectedLabels: [NamedValue<String>]
    package var protectedNames: [String]
    package var irreversible: Irreversible

    /// Whether a fault that nothing takes back may be used.
    package enum Irreversible: String, Sendable, Hashable, CaseIterable {
        case allowed
        case forbidden
    }

    package init(
        maxTargets: Int? = nil, maxDuration: Span = .minutes(30), protectedLabels: [NamedValue<String>] = [],
        protectedNames: [String] = [], irreversible: Irreversible = .allowed
    ) {
        self.maxTargets = maxTargets
        self.maxDuration = maxDuration
        self.protectedLabels = protectedLabels
        self.protectedNames = protectedNames
        self.irreversible = irreversible
    }
}
