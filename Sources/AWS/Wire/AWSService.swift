/// The services that Squall talks to, with what the wire needs to know of each.
package enum AWSService: String, Sendable, Hashable, CaseIterable {
    case rds
    case elasticache
    case ec2
    case ecs
    case fis
    case route53
    case cloudwatch
    case ssm
    case sts
    case iam
    case sso
    case zonalShift = "arc-zonal-shift"
    case routingControl = "route53-recovery-cluster"
    case tagging = "resourcegroupstaggingapi"

    /// How requests and answers are written.
    enum Dialect: Sendable, Hashable {
        /// Form fields in, XML with a result wrapper out.
        case query(version: String)
        /// Form fields with flattened lists in, XML without a wrapper out.
        case ec2(version: String)
        /// JSON both ways; `X-Amz-Target` names the operation.
        case json(version: String, target: String)
        case restJSON
        case restXML
    }

    var dialect: Dialect {
        switch self {
        case .rds: .query(version: "2014-10-31")
        case .elasticache: .query(version: "2015-02-02")
        case .sts: .query(version: "2011-06-15")
        case .iam: .query(version: "2010-05-08")
        case .ec2: .ec2(version: "2016-11-15")
        case .ecs: .json(version: "1.1", target: "AmazonEC2ContainerServiceV20141113")
        case .cloudwatch: .json(version: "1.0", target: "GraniteServiceVersion20100801")
        case .ssm: .json(version: "1.1", target: "AmazonSSM")
        case .routingControl: .json(version: "1.0", target: "ToggleCustomerAPI")
        case .tagging: .json(version: "1.1", target: "ResourceGroupsTaggingAPI_20170126")
        case .fis, .zonalShift, .sso: .restJSON
        case .route53: .restXML
        }
    }

    /// The interface's version of a service that takes forms; empty for others.
    var version: String {
        switch dialect {
        case .query(let version), .ec2(let version): version
        case .json, .restJSON, .restXML: ""
        }
    }

    /// The header that names the operation, of a service whose requests all have one path.
    func target(of operation: String) -> String? {
        switch dialect {
        case .json(_, let target): "\(target).\(operation)"
        case .query, .ec2, .restJSON, .restXML: nil
        }
    }

    /// The first label of the host name.
    var hostPrefix: String {
        switch self {
        case .cloudwatch: "monitoring"
        case .sso: "portal.sso"
        case .tagging: "tagging"
        case .rds, .elasticache, .ec2, .ecs, .fis, .route53, .ssm, .sts, .iam, .zonalShift, .routingControl: rawValue
        }
    }

    /// The service of the credential scope.
    var signingName: String {
        switch self {
        case .cloudwatch: "monitoring"
        case .sso: "awsssoportal"
        case .tagging: "tagging"
        case .rds, .elasticache, .ec2, .ecs, .fis, .route53, .ssm, .sts, .iam, .zonalShift, .routingControl: rawValue
        }
    }

    /// `X` of `AWS_ENDPOINT_URL_X`; in lower case the key in a profile's `services` section.
    var endpointKey: String {
        switch self {
        case .route53: "ROUTE_53"
        case .zonalShift: "ARC_ZONAL_SHIFT"
        case .routingControl: "ROUTE53_RECOVERY_CLUSTER"
        case .tagging: "RESOURCE_GROUPS_TAGGING_API"
        case .rds, .elasticache, .ec2, .ecs, .fis, .cloudwatch, .ssm, .sts, .iam, .sso: rawValue.uppercased()
        }
    }

    /// One endpoint for all regions of a partition.
    var isGlobal: Bool {
        switch self {
        case .route53, .iam: true
        case .rds, .elasticache, .ec2, .ecs, .fis, .cloudwatch, .ssm, .sts, .sso, .zonalShift, .routingControl,
            .tagging:
            false
        }
    }
}
