package import Basics
package import Experiment
internal import FoundationEssentials
internal import HTTP

/// What an answer must look like to be ok; conditions that are not given always hold.
package struct ResponseTolerance: Sendable, Hashable {
    package var status: [StatusPattern]
    package var headers: [NamedValue<Comparison>]
    package var bodyContains: String?
    /// A POSIX extended regular expression.
    package var bodyMatches: String?
    package var json: [JSONCondition]

    /// A place in a JSON body and what must hold there.
    package struct JSONCondition: Sendable, Hashable {
        package var path: JSONPath
        package var comparison: Comparison

        package init(path: JSONPath, comparison: Comparison) {
            self.path = path
            self.comparison = comparison
        }
    }

    package init(
        status: [StatusPattern] = [.hundreds(2)], headers: [NamedValue<Comparison>] = [], bodyContains: String? = nil,
        bodyMatches: String? = nil, json: [JSONCondition] = []
    ) {
        self.status = status
        self.headers = headers
        self.bodyContains = bodyContains
        self.bodyMatches = bodyMatches
        self.json = json
    }
}

/// Judges answers against one tolerance; holds the compiled expression.
final class ResponseJudge: Sendable {
    private let tolerance: ResponseTolerance
    private let pattern: BodyPattern?

    init(_ tolerance: ResponseTolerance) throws(PatternError) {
        self.tolerance = tolerance
        if let text = tolerance.bodyMatches {
            pattern = try BodyPattern(text)
        } else {
            pattern = nil
        }
    }

    /// nil when all conditions hold; else the class of the first one that does not.
    func failure(of response: HTTPResponse) -> Label? {
        guard tolerance.status.contains(where: { $0.matches(response.status) }) else {
            return Label("status-\(response.status)")
        }
        return headerFailure(response.headers) ?? bodyFailure(response) ?? jsonFailure(response.body)
    }

    private func headerFailure(_ headers: HTTPHeaders) -> Label? {
        for expected in tolerance.headers {
            guard let value = headers[expected.name] else { return "header-missing" }
            if expected.value.holds(forJSON: .string(value)) != true { return "header-differs" }
        }
        return nil
    }

    private func bodyFailure(_ response: HTTPResponse) -> Label? {
        guard tolerance.bodyContains != nil || pattern != nil else { return nil }
        let text = response.text
        if let part = tolerance.bodyContains, !text.contains(part) { return "body-lacks-text" }
        if let pattern, !pattern.matches(text) { return "body-differs" }
        return nil
    }

    private func jsonFailure(_ body: [UInt8]) -> Label? {
        guard !tolerance.json.isEmpty else { return nil }
        let document: JSONValue
        do {
            document = try JSONDecoder().decode(JSONValue.self, from: Data(body))
        } catch {
            return "json-invalid"
        }
        for condition in tolerance.json {
            guard let value = condition.path.value(in: document) else { return "json-missing" }
            if condition.comparison.holds(forJSON: value) != true { return "json-differs" }
        }
        return nil
    }
}
