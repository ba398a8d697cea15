internal import Basics

@testable import Experiment

/// A small catalog: enough kinds to reach every rule of the format, none of a real system.
enum FakeKinds {
    static let catalog = KindCatalog(
        faults: [
            fault("fake.kill", .target, [signal, Parameter<Share?>.optional("share", .share, "How much.")]),
            fault("fake.cut", .between, [Parameter<Int>.required("depth", .integer(1...9), "How deep.")]),
            fault("fake.lag", .target, [Parameter<Span>.required("delay", .span, "How late.")]),
            fault("fake.shout", .none, []),
            fault("fake.run", .optional, [Parameter<[String]>.required("command", .list(.text), "What to run.")]),
        ],
        probes: [
            probe("fake.ledger", ["operations", "readBacks"], operations, [dsn, rate, timeout]),
            probe(
                "fake.roles", ["states"], states, [Parameter<[NamedValue<String>]>.required("nodes", .map(.text), "N.")]
            ),
            probe("fake.value", ["measurements"], [MetricKind("lag", .any)], []),
        ],
        criteria: [
            criterion("rto", accepts: [["operations"]], [max]),
            criterion("rpo", accepts: [["operations", "readBacks"]], [lost]),
            criterion("split-brain", accepts: [["states"]], [max]),
            criterion("availability", accepts: [["operations"]], [min, window]),
            criterion("recovery", accepts: [], [within]),
        ],
        targetSources: [
            source("docker", [labels, Parameter<[String]?>.optional("names", .list(.text), "Names.")])
        ])

    private static let signal = Parameter<String>.defaulted(
        "signal", .word(["SIGKILL", "SIGTERM"]), to: "SIGKILL", written: "SIGKILL", "The signal.")
    private static let labels = Parameter<[NamedValue<String>]?>.optional("labels", .map(.text), "Labels.")
    private static let dsn = Parameter<String>.required("dsn", .text, "Where.")
    private static let rate = Parameter<Rate>.required("rate", .rate, "How often.")
    private static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(1), written: "1s", "How long.")
    private static let max = Parameter<Span>.required("max", .span, "At most.")
    private static let min = Parameter<Share>.required("min", .share, "At least.")
    private static let window = Parameter<Span?>.optional("window", .span, "From the fault on.")
    private static let within = Parameter<Span>.defaulted("within", .span, to: .minutes(5), written: "5m", "Within.")
    private static let lost = Parameter<Int>.defaulted("max-lost-writes", .integer(), to: 0, written: "0", "Lost.")
    private static let operations = [
        MetricKind("success", .share), MetricKind("p95", .span), MetricKind("rate", .rate),
        MetricKind("samples", .number),
    ]
    private static let states = [MetricKind("primaries", .number), MetricKind("state", .text)]

    private static func fault(_ kind: String, _ roles: FaultKind.Roles, _ parameters: [any AnyParameter]) -> FaultKind {
        FaultKind(kind: kind, summary: "Fake.", parameters: parameters, roles: roles, check: check(parameters))
    }

    private static func probe(
        _ kind: String, _ emits: Set<String>, _ metrics: [MetricKind], _ parameters: [any AnyParameter]
    ) -> ProbeKind {
        ProbeKind(
            kind: kind, summary: "Fake.", parameters: parameters, emits: emits, metrics: metrics,
            check: check(parameters))
    }

    private static func source(_ kind: String, _ parameters: [any AnyParameter]) -> TargetSourceKind {
        TargetSourceKind(kind: kind, summary: "Fake.", parameters: parameters, check: check(parameters))
    }

    private static func criterion(
        _ kind: String, accepts: [Set<String>], _ parameters: [any AnyParameter]
    ) -> CriterionKind {
        CriterionKind(kind: kind, summary: "Fake.", parameters: parameters, accepts: accepts) { declaration in
            var facts = CriterionFacts(diagnostics: Diagnostics())
            _ = ParameterReader.read(declaration.parameters, parameters, into: &facts.diagnostics) { reader in
                readAll(parameters, &reader)
                if kind == "rto" { facts.recoveryTime = reader.value(max) }
                if kind == "availability" {
                    (facts.availability, facts.window) = (reader.value(min), reader.value(window))
                }
            }
            return facts
        }
    }

    private static func check(_ parameters: [any AnyParameter]) -> DeclarationCheck {
        { declaration in
            var diagnostics = Diagnostics()
            _ = ParameterReader.read(declaration.parameters, parameters, into: &diagnostics) {
                readAll(parameters, &$0)
            }
            return diagnostics
        }
    }

    private static func readAll(_ parameters: [any AnyParameter], _ reader: inout ParameterReader) {
        for parameter in parameters { read(parameter, &reader) }
    }

    private static func read(_ parameter: some AnyParameter, _ reader: inout ParameterReader) {
        switch parameter {
        case let parameter as Parameter<String>: _ = reader.value(parameter)
        case let parameter as Parameter<Share>: _ = reader.value(parameter)
        case let parameter as Parameter<Share?>: _ = reader.value(parameter)
        case let parameter as Parameter<Span>: _ = reader.value(parameter)
        case let parameter as Parameter<Span?>: _ = reader.value(parameter)
        case let parameter as Parameter<Rate>: _ = reader.value(parameter)
        case let parameter as Parameter<Int>: _ = reader.value(parameter)
        case let parameter as Parameter<[String]>: _ = reader.value(parameter)
        case let parameter as Parameter<[String]?>: _ = reader.value(parameter)
        case let parameter as Parameter<[NamedValue<String>]>: _ = reader.value(parameter)
        case let parameter as Parameter<[NamedValue<String>]?>: _ = reader.value(parameter)
        default: reader.diagnostics.error("the test does not know the type of '\(parameter.key)'", at: nil)
        }
    }
}

/// A valid file that uses every section.
let completeText = """
    title: The primary is killed
    description: Everything at once.
    tags: [dr, gate]
    runbook: runbooks/a.md
    configuration:
      host: {type: env, key: TARGET_HOST, default: 127.0.0.1}
      dsn: "host=${host} password=${password}"
      rate: 200/s
    secrets:
      password: {type: file, path: secrets/pg}
    targets:
      database: {docker: {labels: {role: database}, mode: fixed-percent, value: 50%}}
      primary: {from: roles, is: primary}
    probes:
      orders: {type: fake.ledger, dsn: "${dsn}", rate: "${rate}", timeout: 2s}
      roles: {type: fake.roles, nodes: {a: "host=a", b: "host=b"}}
    steady-state-hypothesis:
      title: one primary
      for: 5s
      probes:
        - {probe: roles, tolerance: {primaries: 1}}
        - {probe: orders, tolerance: {success: ">= 99.9%", p95: "<= 100ms"}}
    method:
      - {name: kill, fault: fake.kill, target: primary, signal: SIGTERM}
      - {name: cut, fault: fake.cut, between: {a: primary, b: database}, depth: 3, duration: 30s, start-after: kill}
      - {plan: plans/region.yaml, with: {depth: 4}}
      - {fault: fake.lag, target: primary, with: {delay: 100ms}, delay: 1s}
    criteria:
      rto: {probe: orders, max: 30s, after: kill}
      rpo: {probe: orders, max-lost-writes: 0}
      split-brain: {probe: roles, max: 0s}
      availability: {probe: orders, min: 70%, window: 2m}
      recovery: {within: 5m}
    stop-conditions:
      - {probe: orders, when: "success < 1%", for: 5m}
    limits: {max-targets: 3, max-duration: 15m, protect: {labels: {keep: "true"}, names: [etcd]}}
    seed: 7

    """

let planText = """
    title: A region is lost
    parameters:
      depth: {description: how deep}
      other: 2
    targets:
      region: {docker: {labels: {region: west}}}
    method:
      - {name: cut, fault: fake.cut, between: {a: region, b: primary}, depth: "${depth}"}
      - {fault: fake.shout, start-after: cut, delay: 2s}
    """

/// Loads a text with the other files that `completeText` names beside it.
func load(
    _ text: String, files: [String: String] = [:], environment: [String: String] = [:],
    overrides: [NamedValue<String>] = []
) -> LoadResult {
    let standard = ["runbooks/a.md": "# Runbook", "secrets/pg": "s3cret-value\n", "plans/region.yaml": planText]
    let all = standard.merging(files) { _, new in new }.merging(["x.yaml": text]) { _, new in new }
    let loader = ExperimentLoader(
        catalog: FakeKinds.catalog, environment: environment, overrides: overrides, files: .memory(all),
        currentFolder: "/repository")
    return loader.load("x.yaml")
}
