internal import Basics
internal import HTTP

/// One request to AWS, before it has an endpoint and a signature.
package struct AWSCall: Sendable {
    /// What a lost answer means.
    package enum Repetition: Sendable, Hashable {
        /// Reads: may be sent again.
        case read
        /// Changes something, and a second one changes it again: sent again only with proof that nothing happened.
        case once
        /// Changes something once however often it is sent: it carries a token, or it is absolute.
        case idempotent
    }

    enum Body: Sendable, Hashable {
        case none
        /// `application/x-www-form-urlencoded`, encoded.
        case form(String)
        case json(JSONValue)
        case xml(String)
    }

    var service: AWSService
    /// As AWS's documentation and policies name it: `FailoverDBCluster`.
    var operation: String
    var method: HTTPRequest.Method
    /// Percent-encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var body: Body
    var repetition: Repetition
    /// The credentials are in the request itself (a web identity's token, an SSO token).
    var isUnsigned = false
    var headers: HTTPHeaders = [:]
    /// Instead of the service's own endpoint: one of a routing-control cluster's five.
    var endpoint: String?
    /// All attempts together.
    var patience: Span = .seconds(30)

    /// Form fields; lists are written out by the caller (`Filters.Filter.1.Name`).
    static func query(
        _ service: AWSService, _ operation: String, _ fields: [(String, String)] = [], _ repetition: Repetition
    ) -> AWSCall {
        let all = [("Action", operation), ("Version", service.version)] + fields
        let form = all.map { "\(percentEncoded($0.0))=\(percentEncoded($0.1))" }.joined(separator: "&")
        return AWSCall(
            service: service, operation: operation, method: .post, path: "/", body: .form(form),
            repetition: repetition)
    }

    /// A JSON document, the operation in `X-Amz-Target`.
    static func json(
        _ service: AWSService, _ operation: String, _ input: [String: JSONValue], _ repetition: Repetition
    ) -> AWSCall {
        AWSCall(
            service: service, operation: operation, method: .post, path: "/", body: .json(.object(input)),
            repetition: repetition)
    }

    /// A resource by its path, each part encoded by the caller.
    static func rest(
        _ service: AWSService, _ operation: String, _ method: HTTPRequest.Method, _ path: String,
        query: [(name: String, value: String)] = [], body: Body = .none, _ repetition: Repetition
    ) -> AWSCall {
        AWSCall(
            service: service, operation: operation, method: method, path: path, query: query, body: body,
            repetition: repetition)
    }

    /// `rds:FailoverDBCluster`, as a policy names it.
    package var action: String { "\(service.policyPrefix):\(operation)" }
}

extension AWSService {
    /// What stands before the colon in a policy's action.
    var policyPrefix: String {
        switch self {
        case .tagging: "tag"
        case .sso: "sso"
        case .rds, .elasticache, .ec2, .ecs, .fis, .route53, .cloudwatch, .ssm, .sts, .iam, .zonalShift,
            .routingControl:
            rawValue
        }
    }
}
