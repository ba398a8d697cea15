internal import Basics

/// Where a template is for: what the ARNs of resources that a file names by their ids are made of.
struct FISPlace: Sendable, Hashable {
    var region: String?
    var account: String?

    /// `arn:aws:rds:us-east-1:123456789012:cluster:orders`
    func arn(_ service: String, _ resource: String, region written: String? = nil) throws(FISReason) -> String {
        guard let region = written ?? region else {
            throw FISReason("FIS takes ARNs, and no region is written: write region or arns in the target")
        }
        guard let account else {
            throw FISReason(
                "FIS takes ARNs, and the account is not known: write arns in the target, or give --role-arn")
        }
        return "arn:\(partition(of: region)):\(service):\(region):\(account):\(resource)"
    }
}

/// What stands after `arn:` in the names of a region's resources.
func partition(of region: String) -> String {
    let prefixes = [
        ("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ]
    return prefixes.first { region.hasPrefix($0.0) }?.1 ?? "aws"
}

extension FISActionMap {
    /// A step's parameters as the action's.
    func parameters(of step: DrillStep, _ place: FISPlace) throws(FISReason) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        var rest = step.parameters
        for rule in rules {
            if let (key, value) = try parameter(rule, step, &rest, place) { result[key] = .string(value) }
        }
        // How long Squall waits for the effect is its own affair.
        rest["timeout"] = nil
        for (key, value) in rest.sorted(by: { $0.key < $1.key }) where value.string != harmless[key] {
            throw FISReason("'\(key)' has no counterpart in FIS")
        }
        return result
    }

    private func parameter(
        _ rule: Rule, _ step: DrillStep, _ rest: inout [String: JSONValue], _ place: FISPlace
    ) throws(FISReason) -> (String, String)? {
        switch rule {
        case .duration(let key):
            guard let duration = step.duration else {
                throw FISReason("it has no duration, and FIS would not end it: write one")
            }
            return (key, try Self.text(duration))
        case .timeout(let key):
            // A limit may be higher than is written, never lower.
            let written = rest.removeValue(forKey: "timeout")?.string.flatMap { Span(parsing: $0) } ?? .minutes(2)
            let whole = Span.seconds((written.nanoseconds + 999_999_999) / 1_000_000_000)
            return (key, try Self.text(max(whole, FISDuration.bounds.lowerBound)))
        case .flag(let key, let ours):
            return rest.removeValue(forKey: ours)?.string.map { (key, $0) }
        case .document:
            let document = rest.removeValue(forKey: "document")?.string ?? "AWS-RunShellScript"
            return ("documentArn", try Self.documentARN(document, place))
        case .documentParameters:
            guard let parameters = rest.removeValue(forKey: "parameters")?.object, !parameters.isEmpty else {
                return nil
            }
            return ("documentParameters", try Self.documentParameters(parameters))
        case .scope: return ("scope", "all")
        }
    }

    private static func text(_ span: Span) throws(FISReason) -> String {
        guard FISDuration.bounds.contains(span), let text = FISDuration.text(span) else {
            throw FISReason("\(span) is nothing FIS can last: whole seconds, from 1m to 12h")
        }
        return text
    }

    /// AWS's own documents (`AWS-RunShellScript`, `AWSFIS-Run-CPU-Stress`) are of no account.
    private static func documentARN(_ document: String, _ place: FISPlace) throws(FISReason) -> String {
        if ARN(document) != nil { return document }
        guard document.hasPrefix("AWS") else { return try place.arn("ssm", "document/\(document)") }
        guard let region = place.region else { throw FISReason("the document's region is not written") }
        return "arn:\(partition(of: region)):ssm:\(region)::document/\(document)"
    }

    /// One value is written as a text, as FIS's own documents take it; `commands` are a list always.
    private static func documentParameters(_ parameters: [String: JSONValue]) throws(FISReason) -> String {
        var members: [String: JSONValue] = [:]
        for (key, value) in parameters {
            let list = texts(value)
            members[key] = list.count == 1 && key != "commands" ? .string(list[0]) : .array(list.map(JSONValue.string))
        }
        guard let text = try? JSONValue.object(members).text(), text.count <= 1_024 else {
            throw FISReason("the document's parameters are more than the 1,024 characters that FIS takes")
        }
        return text
    }
}
