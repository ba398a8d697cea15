internal import Basics

/// Schemas of declarations whose other keys depend on their kind: `if` the kind is this, `then` its parameters.
enum KindSchema {
    static func probe(_ catalog: KindCatalog) -> JSONValue {
        let choice = ExperimentSchema.kinds(catalog.probes, ProbeKeys.type.summary)
        let cases = catalog.probes.map { kind in
            let schema = ExperimentSchema.replacing(
                ProbeKeys.type.key, in: parameterSchema(ProbeKeys.all + kind.parameters), with: choice)
            return whenKind(ProbeKeys.type.key, kind, then: schema)
        }
        return discriminated(by: ProbeKeys.type.key, choice, cases)
    }

    static func criterion(_ kind: CriterionKind) -> JSONValue {
        let judgesProbe = !kind.accepts.isEmpty
        let own = CriterionKeys.all.filter { judgesProbe || $0.key != CriterionKeys.probe.key }
        var schema = parameterSchema(own + kind.parameters).object ?? [:]
        if judgesProbe {
            schema["required"] = .array([.string(CriterionKeys.probe.key)] + (schema["required"]?.array ?? []))
        }
        schema["description"] = .string(kind.summary)
        return .object(schema)
    }

    /// A mapping whose key `discriminator` chooses one of the cases.
    static func discriminated(by discriminator: String, _ choice: JSONValue, _ cases: [JSONValue]) -> JSONValue {
        var schema: [String: JSONValue] = [
            "type": .string("object"), "required": .array([.string(discriminator)]),
            "properties": .object([discriminator: choice]),
        ]
        if !cases.isEmpty { schema["allOf"] = .array(cases) }
        return .object(schema)
    }

    static func whenKind(_ discriminator: String, _ kind: any CatalogKind, then schema: JSONValue) -> JSONValue {
        var described = schema.object ?? [:]
        described["description"] = .string(kind.summary)
        let condition: JSONValue = .object([
            "required": .array([.string(discriminator)]),
            "properties": .object([discriminator: .object(["const": .string(kind.kind)])]),
        ])
        return .object(["if": condition, "then": .object(described)])
    }
}

/// The schema of one entry of `targets`.
enum TargetSchema {
    static func make(_ catalog: KindCatalog) -> JSONValue {
        var schema = parameterSchema(TargetKeys.all).object ?? [:]
        var properties = schema["properties"]?.object ?? [:]
        var choices: [JSONValue] = [
            .object(["required": .array([.string(TargetKeys.from.key), .string(TargetKeys.role.key)])])
        ]
        for kind in catalog.targetSources {
            var source = parameterSchema(TargetKeys.selection + kind.parameters).object ?? [:]
            source["description"] = .string(kind.summary)
            properties[kind.kind] = .object(source)
            choices.append(.object(["required": .array([.string(kind.kind)])]))
        }
        schema["properties"] = .object(properties)
        schema["oneOf"] = .array(choices)
        return .object(schema)
    }
}

/// The schema of one entry of `method`.
enum StepSchema {
    /// An inclusion when it has `plan`, a fault otherwise.
    static func make(_ catalog: KindCatalog) -> JSONValue {
        let inclusion = InclusionKeys.plan.key
        return .object([
            "type": .string("object"), "if": .object(["required": .array([.string(inclusion)])]),
            "then": parameterSchema(InclusionKeys.all), "else": fault(catalog),
        ])
    }

    private static func fault(_ catalog: KindCatalog) -> JSONValue {
        let choice = ExperimentSchema.kinds(catalog.faults, StepKeys.fault.summary)
        let cases = catalog.faults.map { kind in
            KindSchema.whenKind(StepKeys.fault.key, kind, then: step(kind, choice))
        }
        return KindSchema.discriminated(by: StepKeys.fault.key, choice, cases)
    }

    private static func step(_ kind: FaultKind, _ choice: JSONValue) -> JSONValue {
        let (hidden, needed): (Set<String>, [String]) =
            switch kind.roles {
            case .none: ([StepKeys.target.key, StepKeys.between.key], [])
            case .optional: ([StepKeys.between.key], [])
            case .target: ([StepKeys.between.key], [StepKeys.target.key])
            case .between: ([StepKeys.target.key], [StepKeys.between.key])
            // Which of the two it is, the reader says better than a schema could.
            case .group, .either: ([], [])
            }
        let own = StepKeys.all.filter { !hidden.contains($0.key) }
        let ownKeys = Set(StepKeys.all.map(\.key))
        let flat = kind.parameters.filter { !ownKeys.contains($0.key) }
        var nested = parameterSchema(kind.parameters).object ?? [:]
        nested["required"] = nil
        var schema = parameterSchema(own + flat)
        schema = ExperimentSchema.replacing(StepKeys.with.key, in: schema, with: .object(nested))
        schema = ExperimentSchema.replacing(StepKeys.fault.key, in: schema, with: choice)
        var object = schema.object ?? [:]
        object["required"] = .array(([StepKeys.fault.key] + needed).map(JSONValue.string))
        let required = kind.parameters.filter(\.isRequired).map { either($0.key, isFlat: !ownKeys.contains($0.key)) }
        if !required.isEmpty { object["allOf"] = .array(required) }
        return .object(object)
    }

    /// A required parameter stands beside `fault` or under `with`.
    private static func either(_ key: String, isFlat: Bool) -> JSONValue {
        let nested: JSONValue = .object([
            "required": .array([.string(StepKeys.with.key)]),
            "properties": .object([StepKeys.with.key: .object(["required": .array([.string(key)])])]),
        ])
        return isFlat ? ExperimentSchema.anyOf(.object(["required": .array([.string(key)])]), nested) : nested
    }
}
