import Experiment
import Testing

@testable import AWS

/// Which host is called, and for which region a call is signed.
@Suite struct EndpointTests {
    @Test(arguments: [
        (AWSService.rds, "us-east-1", [:], "https://rds.us-east-1.amazonaws.com", "us-east-1"),
        (.cloudwatch, "eu-west-1", [:], "https://monitoring.eu-west-1.amazonaws.com", "eu-west-1"),
        (.rds, "cn-north-1", [:], "https://rds.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        (.route53, "eu-west-1", [:], "https://route53.amazonaws.com", "us-east-1"),
        (.route53, "cn-north-1", [:], "https://route53.amazonaws.com.cn", "cn-northwest-1"),
        (.route53, "us-gov-east-1", [:], "https://route53.us-gov.amazonaws.com", "us-gov-west-1"),
        (.route53, "us-east-1", ["AWS_USE_DUALSTACK_ENDPOINT": "true"], "https://route53.global.api.aws", "us-east-1"),
        (.rds, "us-east-1", ["AWS_USE_FIPS_ENDPOINT": "true"], "https://rds-fips.us-east-1.amazonaws.com", "us-east-1"),
        (
            .fis, "us-east-1", ["AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"],
            "https://fis-fips.us-east-1.api.aws", "us-east-1"
        ),
        (.sso, "us-west-2", [:], "https://portal.sso.us-west-2.amazonaws.com", "us-west-2"),
        (.rds, "us-east-1", ["AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"], "http://127.0.0.1:4566", "us-east-1"),
        (
            .route53, "eu-west-1", ["AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_ROUTE_53": "http://b:80"],
            "http://b:80", "us-east-1"
        ),
        (
            .rds, "us-east-1", ["AWS_ENDPOINT_URL": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"],
            "https://rds.us-east-1.amazonaws.com", "us-east-1"
        ),
        (.ec2, "us-east-1", ["AWS_PROFILE": "lab"], "http://lab:1", "us-east-1"),
        (.rds, "us-east-1", ["AWS_PROFILE": "lab"], "http://lab:2", "us-east-1"),
    ])
    func aServiceHasItsEndpoint(
        service: AWSService, region: String, environment: [String: String], url: String, signed: String
    ) throws {
        let config = """
            [profile lab]
            services = local
            endpoint_url = http://lab:1
            [services local]
            rds =
              endpoint_url = http://lab:2
            """
        let settings = try AWSSettings(
            environment: environment.merging(["HOME": "/h"]) { own, _ in own },
            files: .memory(["/h/.aws/config": config]))
        let endpoint = Endpoint(service, region: region, settings)
        #expect(endpoint.url == url)
        #expect(endpoint.signingRegion == signed)
    }

    @Test(arguments: [
        ("http://127.0.0.1:4566", "127.0.0.1:4566"), ("https://a:443", "a"), ("http://a:80/base", "a"),
        ("https://a:80", "a:80"),
    ])
    func theHostIsWhatIsSent(url: String, host: String) {
        #expect(Endpoint(url: url, signingRegion: "x").host == host)
    }
}
