/// What AWS's error codes mean for whoever runs an experiment. A code that is not here is judged by its status.
enum ErrorCatalog {
    /// The class of a code and what to do about it.
    struct Entry: Sendable, Hashable {
        var code: AWSError.Code
        var advice: String
    }

    static func entry(for word: String, status: Int) -> Entry {
        if let known = known[word] { return known }
        // A page of whatever stands between us and AWS: "404" there says nothing of the resource.
        if word.isEmpty, (400...499).contains(status), status != 429 {
            return Entry(
                code: .unexpected, advice: "check AWS_ENDPOINT_URL, the proxy and the region: no service answered")
        }
        if word.hasSuffix("NotFoundFault") || word.hasSuffix("NotFound") || word.hasSuffix("NotFoundException")
            || word.hasPrefix("NoSuch")
        {
            return Entry(code: .notFound, advice: "check the identifier, the account and the region")
        }
        if word.contains("Throttl") || word.contains("TooManyRequests") || status == 429 { return throttled }
        if word.hasPrefix("Invalid"), word.contains("State") { return wrongState }
        switch status {
        case 402: return Entry(code: .quota, advice: "")
        case 403: return denied
        case 404: return Entry(code: .notFound, advice: "check the identifier, the account and the region")
        case 409: return Entry(code: .conflict, advice: "")
        case 500...599: return Entry(code: .server, advice: "")
        case 400...499: return Entry(code: .invalid, advice: "")
        default: return Entry(code: .unexpected, advice: "")
        }
    }

    private static let throttled = Entry(
        code: .throttled, advice: "ask less often, or let fewer tools ask; AWS limits calls per account and region")
    private static let denied = Entry(
        code: .denied, advice: "squall iam-policy EXPERIMENT prints the policy that these credentials need")
    private static let wrongState = Entry(
        code: .state, advice: "wait until the resource is available; look at its state in the console or with describe")
    private static let badKey = Entry(
        code: .authentication, advice: "aws sts get-caller-identity; check the access key, its secret and the profile")
    private static let expired = Entry(
        code: .expired, advice: "get new credentials (aws sso login, or assume the role again), then run again")
    private static let clock = Entry(
        code: .clockSkew, advice: "timedatectl; this machine's clock differs from AWS's by minutes")

    private static let known: [String: Entry] = [
        "InvalidClientTokenId": badKey, "UnrecognizedClientException": badKey, "AuthFailure": badKey,
        "SignatureDoesNotMatch": badKey, "InvalidSignatureException": badKey, "MissingAuthenticationToken": badKey,
        "IncompleteSignature": badKey,
        "ExpiredToken": expired, "ExpiredTokenException": expired, "TokenRefreshRequired": expired,
        "RequestExpired": clock, "RequestTimeTooSkewed": clock,
        "AccessDenied": denied, "AccessDeniedException": denied, "UnauthorizedException": denied,
        "UnauthorizedOperation": Entry(
            code: .denied,
            advice: "aws sts decode-authorization-message --encoded-message TEXT says which statement denies it"),
        "OptInRequired": Entry(code: .denied, advice: "the region or the service is not enabled for this account"),
        "RegionDisabledException": Entry(code: .denied, advice: "enable the region for this account"),
        "DryRunOperation": Entry(code: .dryRunPassed, advice: ""),
        "Throttling": throttled, "ThrottlingException": throttled, "ThrottledException": throttled,
        "RequestThrottledException": throttled, "RequestThrottled": throttled, "TooManyRequestsException": throttled,
        "ProvisionedThroughputExceededException": throttled, "TransactionInProgressException": throttled,
        "RequestLimitExceeded": throttled, "BandwidthLimitExceeded": throttled, "LimitExceededException": throttled,
        "SlowDown": throttled, "PriorRequestNotComplete": throttled, "EC2ThrottledException": throttled,
        // A quota of a day, not a rate: asking again does not help.
        "APICallRateForCustomerExceeded": Entry(
            code: .quota, advice: "ElastiCache allows fifteen tested failovers a day; try again tomorrow"),
        "ServiceQuotaExceededException": Entry(code: .quota, advice: "end other experiments, or ask AWS for more"),
        "TestFailoverNotAvailableFault": Entry(
            code: .state, advice: "the replication group needs automatic failover and at least one replica"),
        "IncorrectInstanceState": wrongState, "IncorrectState": wrongState,
        "InvalidDBClusterStateFault": wrongState, "InvalidDBInstanceState": wrongState,
        "InvalidGlobalClusterStateFault": wrongState,
        "OperationNotPermitted": Entry(
            code: .denied, advice: "the instance is protected (aws ec2 describe-instance-attribute)"),
        "KMSKeyNotAccessibleFault": Entry(code: .denied, advice: "enable the KMS key and the grant to it"),
        "InvalidInstanceID.Malformed": Entry(code: .invalid, advice: "instance ids look like i-0123456789abcdef0"),
        "HealthCheckVersionMismatch": Entry(code: .conflict, advice: "somebody else changed the health check"),
        "EndpointTemporarilyUnavailableException": Entry(code: .server, advice: ""),
    ]
}
