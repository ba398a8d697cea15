internal import Basics

extension FISActionMap {
    /// What an action's parameters are as a step's.
    struct Settings: Sendable, Hashable {
        var parameters: [String: JSONValue] = [:]
        var duration: Span?
        /// What a person should know of the difference.
        var notes: [String] = []
    }

    /// Reads an action's parameters; those that nothing here stands for are noted, and stay in the template.
    func settings(of action: FISAction) throws(FISReason) -> Settings {
        var settings = Settings()
        var rest = action.parameters
        for rule in rules { try apply(rule, &rest, &settings) }
        if lasts, settings.duration == nil {
            settings.notes.append("FIS would not end it; Squall does when the run heals")
        }
        settings.notes += rest.keys.sorted().map { "parameter '\($0)' has no counterpart here" }
        settings.notes = settings.notes.map { "\(action.name): \($0)" }
        return settings
    }

    private func apply(
        _ rule: Rule, _ rest: inout [String: JSONValue], _ settings: inout Settings
    ) throws(FISReason) {
        switch rule {
        case .duration(let key):
            guard let value = rest.removeValue(forKey: key) else { return }
            settings.duration = try Self.span(value, key)
        case .timeout(let key):
            guard let value = rest.removeValue(forKey: key) else { return }
            settings.parameters["timeout"] = .string(try Self.span(value, key).written)
        case .flag(let key, let ours):
            guard let value = rest.removeValue(forKey: key) else { return }
            let text = value.string ?? value.boolean.map { "\($0)" } ?? ""
            guard text == "true" || text == "false" else { throw FISReason("\(key) is neither true nor false") }
            settings.parameters[ours] = .string(text)
        case .document:
            guard let text = rest.removeValue(forKey: "documentArn")?.string, !text.isEmpty else {
                throw FISReason("it names no document")
            }
            // One of AWS's own has no account, and is known by its name in every region.
            let isOfAWS = ARN(text)?.account.isEmpty == true
            settings.parameters["document"] = .string(isOfAWS ? ARN(text)?.name ?? text : text)
        case .documentParameters:
            guard let text = rest.removeValue(forKey: "documentParameters")?.string else { return }
            settings.parameters["parameters"] = .object(try Self.documentParameters(text))
        case .scope:
            let scope = rest.removeValue(forKey: "scope")?.string ?? ""
            guard scope == "all" || scope == "availability-zone" else {
                throw FISReason("scope '\(scope)' cuts some traffic, and network-acl.isolate cuts all")
            }
            if scope != "all" {
                settings.notes.append("scope \(scope) cuts traffic with other zones; network-acl.isolate cuts all")
            }
        }
    }

    private static func span(_ value: JSONValue, _ key: String) throws(FISReason) -> Span {
        guard let text = value.string, let span = FISDuration.parse(text), span > .zero else {
            throw FISReason("\(key) is no length of time as FIS writes them (PT5M)")
        }
        return span
    }

    /// `{"DurationSeconds": "120", "commands": ["a", "b"]}`: SSM takes lists of texts, whatever is written.
    private static func documentParameters(_ text: String) throws(FISReason) -> [String: JSONValue] {
        guard let json = try? JSONValue(parsing: text), let members = json.object else {
            throw FISReason("documentParameters holds no JSON object")
        }
        var parameters: [String: JSONValue] = [:]
        for (key, value) in members {
            var list: [JSONValue] = []
            for element in value.array ?? [value] {
                guard let text = element.string ?? (try? element.text()), element.object == nil, element.array == nil
                else { throw FISReason("parameter '\(key)' of the document is no list of texts") }
                list.append(.string(text))
            }
            parameters[key] = .array(list)
        }
        return parameters
    }
}
