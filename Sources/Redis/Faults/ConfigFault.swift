package import Contracts
package import Experiment

/// Changes settings of a running Redis, and gives them back.
package struct ConfigFault: SettingFault {
    package static let kind = "redis.config"
    package static let manual = Manual(
        summary: "Changes settings of a running Redis with CONFIG SET; the prior values come back.",
        details: """
            Each of `settings` is read, journalled and set on the target. The effect is that CONFIG GET shows other values \
            than before: a setting that had the value already proves nothing. Healing sets the prior value of each setting \
            that still has ours; what somebody else has set since stays, and is noted in the history.

            What is set at run time ends with the process, unless it has reached the configuration file: a Sentinel rewrites \
            that file when it changes the node's role. In that case healing rewrites it once more, and a process that was \
            started from it with our value is healed, too. Settings whose prior value is a password are refused, and those \
            after which Squall could not connect any more.
            """,
        example: """
            - {name: impatient, fault: redis.config, target: primary, duration: 30s, settings: {timeout: "1"}}
            """)
    private static let settingsParameter = Parameter<[NamedValue<String>]>.required(
        "settings", .map(.text), "Values by the names that CONFIG GET knows, for example {maxmemory: 32mb}.")
    package static let parameters: [any AnyParameter] = [settingsParameter]

    private let settings: [String: String]

    package init(from reader: inout ParameterReader) {
        let named = reader.value(Self.settingsParameter)
        settings = Dictionary(named.map { ($0.name, $0.value) }) { first, _ in first }
        let location = reader.location(of: Self.settingsParameter.key)
        if settings.isEmpty { reader.diagnostics.error("no setting is named", at: location) }
        for problem in settings.keys.sorted().compactMap({ ConfigChange.problem(with: $0) }) {
            reader.diagnostics.error(problem, at: location)
        }
    }

    package func plan(for target: Target) -> PlannedOperation {
        let text = settings.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return PlannedOperation(
            operation: "CONFIG SET on \(target.name): \(text)", undo: "CONFIG SET to the prior values",
            privileges: ConfigChange.privileges)
    }

    package func prepare(_ target: Target, in context: SystemContext) async throws(FaultError) -> ConfigChange {
        try await ConfigChange.prepare(settings, on: target, in: context)
    }
}
