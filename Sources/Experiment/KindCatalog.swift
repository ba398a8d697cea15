package import Basics

/// The kinds that a file may name. The kinds live in higher modules; the command line fills this from its registry.
package struct KindCatalog: Sendable {
    package var faults: [FaultKind]
    package var probes: [ProbeKind]
    package var criteria: [CriterionKind]
    package var targetSources: [TargetSourceKind]

    package init(
        faults: [FaultKind] = [], probes: [ProbeKind] = [], criteria: [CriterionKind] = [],
        targetSources: [TargetSourceKind] = []
    ) {
        self.faults = faults
        self.probes = probes
        self.criteria = criteria
        self.targetSources = targetSources
    }

    func fault(_ kind: String) -> FaultKind? { faults.first { $0.kind == kind } }
    func probe(_ kind: String) -> ProbeKind? { probes.first { $0.kind == kind } }
    func criterion(_ kind: String) -> CriterionKind? { criteria.first { $0.kind == kind } }
    func targetSource(_ kind: String) -> TargetSourceKind? { targetSources.first { $0.kind == kind } }
}

/// Runs the reader of the kind itself over a declaration and returns what it found wrong.
package typealias DeclarationCheck = @Sendable (Declaration) -> Diagnostics

/// What every kind says of itself to the reader and the schema.
package protocol CatalogKind: Sendable {
    var kind: String { get }
    var summary: String { get }
    var parameters: [any AnyParameter] { get }
}

/// A fault as far as a file is concerned.
package struct FaultKind: CatalogKind {
    /// Which targets a step with this fault names.
    package enum Roles: Sendable, Hashable {
        case none
        case optional
        case target
        /// Two sides: `between: {a: …, b: …}`.
        case between
        /// Two sides, or `target: …` with the parameter that divides it.
        case group(dividedBy: String)

        /// A target, or two sides.
        case either

        /// Whether two sides may be named.
        var hasSides: Bool {
            switch self {
            case .between, .group, .either: true
            case .none, .optional, .target: false
            }
        }
    }

    package var kind: String
    package var summary: String
    package var parameters: [any AnyParameter]
    package var roles: Roles
    package var check: DeclarationCheck

    package init(
        kind: String, summary: String, parameters: [any AnyParameter], roles: Roles, check: @escaping DeclarationCheck
    ) {
        self.kind = kind
        self.summary = summary
        self.parameters = parameters
        self.roles = roles
        self.check = check
    }
}

/// A probe as far as a file is concerned.
package struct ProbeKind: CatalogKind {
    package var kind: String
    package var summary: String
    package var parameters: [any AnyParameter]
    /// The names of what it records: `operations`, `states`, …
    package var emits: Set<String>
    package var metrics: [MetricKind]
    package var check: DeclarationCheck

    package init(
        kind: String, summary: String, parameters: [any AnyParameter], emits: Set<String>, metrics: [MetricKind],
        check: @escaping DeclarationCheck
    ) {
        self.kind = kind
        self.summary = summary
        self.parameters = parameters
        self.emits = emits
        self.metrics = metrics
        self.check = check
    }
}

/// A criterion as far as a file is concerned.
package struct CriterionKind: CatalogKind {
    package var kind: String
    package var summary: String
    package var parameters: [any AnyParameter]
    /// The names of what the judged probe must record: all of any one set. Empty: the criterion judges no probe.
    package var accepts: [Set<String>]
    package var examine: @Sendable (Declaration) -> CriterionFacts

    package init(
        kind: String, summary: String, parameters: [any AnyParameter], accepts: [Set<String>],
        examine: @escaping @Sendable (Declaration) -> CriterionFacts
    ) {
        self.kind = kind
        self.summary = summary
        self.parameters = parameters
        self.accepts = accepts
        self.examine = examine
    }
}

extension CriterionKind {
    /// Whether a probe that records this can be judged.
    func accepts(_ emits: Set<String>) -> Bool { accepts.contains { $0.isSubset(of: emits) } }
}

/// What the kind says of one criterion as declared: its faults, and its limits for the outage budget.
package struct CriterionFacts: Sendable {
    package var diagnostics: Diagnostics
    package var recoveryTime: Span?
    package var availability: Share?
    package var window: Span?

    package init(
        diagnostics: Diagnostics, recoveryTime: Span? = nil, availability: Share? = nil, window: Span? = nil
    ) {
        self.diagnostics = diagnostics
        self.recoveryTime = recoveryTime
        self.availability = availability
        self.window = window
    }
}

/// A target source as far as a file is concerned.
package struct TargetSourceKind: CatalogKind {
    package var kind: String
    package var summary: String
    package var parameters: [any AnyParameter]
    package var check: DeclarationCheck

    package init(
        kind: String, summary: String, parameters: [any AnyParameter], check: @escaping DeclarationCheck
    ) {
        self.kind = kind
        self.summary = summary
        self.parameters = parameters
        self.check = check
    }
}

/// A metric that a condition may name, with what its bound must be.
package struct MetricKind: Sendable, Hashable {
    /// What its bound must be written as.
    package enum Unit: Sendable, Hashable {
        case share
        case span
        case rate
        case number
        case text
        /// Known only to the probe.
        case any
    }

    package var name: String
    package var unit: Unit

    package init(_ name: String, _ unit: Unit) {
        self.name = name
        self.unit = unit
    }

    /// How to write the bound when `quantity` cannot be one; nil when it can.
    func complaint(about quantity: Quantity) -> String? {
        switch (unit, quantity) {
        case (.share, .share), (.span, .span), (.rate, .rate), (.number, .number), (.text, _), (.any, _): nil
        case (.share, _): "a percentage, for example >= 99.9%"
        case (.span, _): "a duration with its unit, for example <= 100ms"
        case (.rate, _): "a rate with its unit, for example >= 190/s"
        case (.number, _): "a plain number, for example 1"
        }
    }
}
