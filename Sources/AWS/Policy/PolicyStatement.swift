internal import Basics

/// One permission that an experiment needs, and who needs it.
struct PolicyNeed: Sendable, Hashable {
    /// `rds:FailoverDBCluster`
    var action: String
    var resources: [String]
    var conditions: [PolicyCondition] = []
}

/// A condition of a statement: `StringEquals ec2:ResourceTag/app = web`.
struct PolicyCondition: Sendable, Hashable, Comparable {
    /// `StringEquals`, `ForAllValues:StringEquals`
    var test: String
    var key: String
    var values: [String]

    static func < (left: PolicyCondition, right: PolicyCondition) -> Bool {
        (left.test, left.key, left.values.joined(separator: ",")) < (
            right.test, right.key, right.values.joined(separator: ",")
        )
    }
}

/// A statement of a policy: all its actions on all its resources, under all its conditions.
struct PolicyStatement: Sendable, Hashable {
    var sid = ""
    var actions: [String]
    var resources: [String]
    var conditions: [PolicyCondition]

    /// The fewest statements for the needs, in an order that depends on nothing but them, each with a name of its own.
    ///
    /// Needs may be joined when they differ in one thing only: the union of the resources of one action under the same
    /// conditions allows no more than both do, and so does the union of the actions on the same resources.
    static func merged(_ needs: [PolicyNeed]) -> [PolicyStatement] {
        struct Grant: Hashable {
            var names: [String]
            var conditions: [PolicyCondition]
            /// Reads and changes stay apart, so that a reviewer sees the changes.
            var isRead = false
        }
        var resources: [Grant: Set<String>] = [:]
        for need in needs {
            resources[Grant(names: [need.action], conditions: need.conditions.sorted()), default: []]
                .formUnion(need.resources)
        }
        var actions: [Grant: Set<String>] = [:]
        for (grant, found) in resources {
            // With all resources the single ones say nothing more.
            let list = found.contains("*") ? ["*"] : found.sorted()
            let isRead = grant.names.allSatisfy(isRead)
            actions[Grant(names: list, conditions: grant.conditions, isRead: isRead), default: []]
                .formUnion(grant.names)
        }
        let statements = actions.map { grant, actions in
            PolicyStatement(actions: actions.sorted(), resources: grant.names, conditions: grant.conditions)
        }
        return named(statements.sorted { $0.order < $1.order })
    }

    private var order: String {
        let tests = conditions.map { "\($0.test) \($0.key) \($0.values)" }
        return (actions + ["|"] + resources + ["|"] + tests).joined(separator: " ")
    }

    /// A name is what it is about, and a number when there are several: `RdsChange`, `RdsChange2`.
    private static func named(_ statements: [PolicyStatement]) -> [PolicyStatement] {
        var counts: [String: Int] = [:]
        return statements.map { statement in
            var statement = statement
            let services = Set(statement.actions.map { $0.prefix { $0 != ":" } }).sorted()
            let subject = services.map(capitalized).joined()
            let verb = statement.actions.allSatisfy(isRead) ? "Read" : "Change"
            let name = (services.count > 3 ? "Several" : subject) + verb
            counts[name, default: 0] += 1
            let number = counts[name] ?? 1
            statement.sid = number == 1 ? name : "\(name)\(number)"
            return statement
        }
    }

    /// `arc-zonal-shift` → `ArcZonalShift`: a Sid has letters and digits only.
    private static func capitalized(_ service: Substring) -> String {
        service.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// Whether an action changes nothing, by its name, which is AWS's own convention.
    static func isRead(_ action: String) -> Bool {
        let operation = action.drop { $0 != ":" }.dropFirst()
        return ["Describe", "Get", "List"].contains { operation.hasPrefix($0) }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = [
            "Sid": .string(sid), "Effect": .string("Allow"), "Action": .array(actions.map(JSONValue.string)),
            "Resource": .array(resources.map(JSONValue.string)),
        ]
        var tests: [String: [String: JSONValue]] = [:]
        for condition in conditions {
            tests[condition.test, default: [:]][condition.key] = .array(condition.values.map(JSONValue.string))
        }
        if !tests.isEmpty { members["Condition"] = .object(tests.mapValues(JSONValue.object)) }
        return .object(members)
    }
}
