package import Basics

/// The JSON Schema of the file format, for editors: keys, kinds and values come from the definitions the reader uses.
///
/// Draft 7, because it is the newest draft that the YAML language server and older validators understand alike.
package enum ExperimentSchema {
    /// The schema of an experiment file.
    package static func make(_ catalog: KindCatalog) -> JSONValue {
        document(
            title: "Squall experiment", ExperimentKeys.all, catalog,
            sections: [
                ExperimentKeys.configuration.key: configuration,
                ExperimentKeys.secrets.key: named(parameterSchema(ConfigurationKeys.secret)),
                ExperimentKeys.targets.key: named(reference("target")),
                ExperimentKeys.probes.key: named(reference("probe")),
                ExperimentKeys.steadyState.key: steadyState,
                ExperimentKeys.method.key: list(of: reference("step")),
                ExperimentKeys.criteria.key: criteria(catalog),
                ExperimentKeys.stopConditions.key: list(of: parameterSchema(StopKeys.all)),
                ExperimentKeys.limits.key: parameterSchema(LimitKeys.all),
            ])
    }

    /// The schema of a fault plan.
    package static func plan(_ catalog: KindCatalog) -> JSONValue {
        let parameter = anyOf(scalar, .object(["type": .string("null")]), parameterSchema(PlanKeys.parameter))
        return document(
            title: "Squall fault plan", PlanKeys.all, catalog,
            sections: [
                PlanKeys.parameters.key: named(parameter),
                ExperimentKeys.configuration.key: configuration,
                PlanKeys.targets.key: named(reference("target")),
                PlanKeys.method.key: list(of: reference("step")),
            ])
    }

    private static func document(
        title: String, _ keys: [any AnyParameter], _ catalog: KindCatalog, sections: [String: JSONValue]
    ) -> JSONValue {
        var schema = parameterSchema(keys).object ?? [:]
        var properties = schema["properties"]?.object ?? [:]
        for (key, section) in sections {
            var described = section.object ?? [:]
            described["description"] = properties[key]?["description"]
            properties[key] = .object(described)
        }
        schema["properties"] = .object(properties)
        schema["$schema"] = .string("http://json-schema.org/draft-07/schema#")
        schema["title"] = .string(title)
        schema["definitions"] = .object([
            "target": TargetSchema.make(catalog), "probe": KindSchema.probe(catalog), "step": StepSchema.make(catalog),
        ])
        return .object(schema)
    }

    // MARK: Sections

    private static let configuration = named(anyOf(scalar, parameterSchema(ConfigurationKeys.variable)))

    private static let steadyState = replacing(
        SteadyStateKeys.probes.key, in: parameterSchema(SteadyStateKeys.all),
        with: list(of: parameterSchema(SteadyStateKeys.expectation)))

    /// A mapping from kinds, where a list stands for several of one kind, or a list of such mappings.
    private static func criteria(_ catalog: KindCatalog) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for kind in catalog.criteria {
            let one = KindSchema.criterion(kind)
            var either = anyOf(one, list(of: one)).object ?? [:]
            // `recovery:` alone is the criterion with its defaults.
            if !parameterList(kind).contains(where: \.isRequired) {
                either = anyOf(one, list(of: one), .object(["type": .string("null")])).object ?? [:]
            }
            either["description"] = .string(kind.summary)
            properties[kind.kind] = .object(either)
        }
        let mapping: JSONValue = .object([
            "type": .string("object"), "properties": .object(properties), "additionalProperties": .boolean(false),
        ])
        return anyOf(mapping, list(of: mapping))
    }

    private static func parameterList(_ kind: CriterionKind) -> [any AnyParameter] {
        kind.parameters + (kind.accepts.isEmpty ? [] : [Parameter<String>.required("probe", .text, "")])
    }

    // MARK: Building blocks

    static let scalar: JSONValue = .object(["type": .array(["string", "number", "boolean"].map(JSONValue.string))])

    static func anyOf(_ schemas: JSONValue...) -> JSONValue { .object(["anyOf": .array(schemas)]) }

    static func reference(_ name: String) -> JSONValue { .object(["$ref": .string("#/definitions/\(name)")]) }

    static func list(of element: JSONValue) -> JSONValue {
        .object(["type": .string("array"), "items": element])
    }

    /// A mapping from names of the user's choice.
    static func named(_ element: JSONValue) -> JSONValue {
        .object([
            "type": .array([.string("object"), .string("null")]), "additionalProperties": element,
            "propertyNames": .object(["pattern": .string("^[A-Za-z_][A-Za-z0-9_.-]*$")]),
        ])
    }

    /// The schema with another one for a property, which keeps its description.
    static func replacing(_ key: String, in schema: JSONValue, with other: JSONValue) -> JSONValue {
        var object = schema.object ?? [:]
        var properties = object["properties"]?.object ?? [:]
        var described = other.object ?? [:]
        described["description"] = described["description"] ?? properties[key]?["description"]
        properties[key] = .object(described)
        object["properties"] = .object(properties)
        return .object(object)
    }

    /// One of the kinds, or a variable.
    static func kinds(_ kinds: [any CatalogKind], _ description: String) -> JSONValue {
        let words: JSONValue = .object([
            "enum": .array(kinds.map { .string($0.kind) }),
            "enumDescriptions": .array(kinds.map { .string($0.summary) }),
        ])
        let variable: JSONValue = .object(["type": .string("string"), "pattern": .string("\\$\\{")])
        return .object(["anyOf": .array([words, variable]), "description": .string(description)])
    }
}
