import AWSSupport
import Basics
import HTTP
import Testing

@testable import AWS

/// Calls against a cloud that checks signatures and rights, and that is made to go wrong in every way AWS does.
@Suite struct CallTests {
    private static let describe = AWSCall.query(.rds, "DescribeDBClusters", [], .read)

    private func failure(_ client: AWSClient, _ call: AWSCall = describe, region: String = "us-east-1") async
        -> AWSError?
    {
        do throws(AWSError) {
            _ = try await client.perform(call, region: region)
            return nil
        } catch {
            return error
        }
    }

    @Test func everyDialectIsUnderstoodAndSigned() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client()
        let identity = try await client.perform(.query(.sts, "GetCallerIdentity", [], .read), region: "us-east-1")
        #expect(identity.xml.string("Arn") == "arn:aws:iam::123456789012:user/squall")
        #expect(!identity.requestID.isEmpty)
        let clusters = try await client.perform(Self.describe, region: "us-east-1")
        #expect(clusters.xml.list("DBClusters").contains { $0.string("DBClusterIdentifier") == "app" })
        let instances = try await client.perform(.query(.ec2, "DescribeInstances", [], .read), region: "us-east-1")
        #expect(instances.xml.list("reservationSet").isEmpty == false)
        let tasks = try await client.perform(
            .json(.ecs, "ListTasks", ["cluster": .string("squall")], .read), region: "us-east-1")
        #expect(tasks.json["taskArns"]?.array?.isEmpty == false)
        let alarms = try await client.perform(.json(.cloudwatch, "DescribeAlarms", [:], .read), region: "us-east-1")
        #expect(alarms.json["MetricAlarms"]?.array?.isEmpty == false)
        let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/squall/0000000000000001"
        let encoded = arn.replacing(":", with: "%3A").replacing("/", with: "%2F")
        let shift = try await client.perform(
            .rest(.zonalShift, "GetManagedResource", .get, "/managedresources/\(encoded)", .read), region: "us-east-1")
        #expect(shift.json["appliedWeights"]?["use1-az1"]?.number == 1)
        let zone = try await client.perform(
            .rest(
                .route53, "ListResourceRecordSets", .get, "/2013-04-01/hostedzone/Z0SQUALLLAB0000000001/rrset",
                query: [(name: "maxitems", value: "100")], .read), region: "us-east-1")
        #expect(zone.xml.list("ResourceRecordSets").isEmpty == false)
    }

    @Test(arguments: [
        (["AWS_SECRET_ACCESS_KEY": "wrong"], AWSError.Code.authentication, "SignatureDoesNotMatch"),
        (["AWS_ACCESS_KEY_ID": "AKIANOBODY0000000000"], .authentication, "InvalidClientTokenId"),
        (
            [
                "AWS_ACCESS_KEY_ID": CloudServer.powerless.access,
                "AWS_SECRET_ACCESS_KEY": CloudServer.powerless.secret,
            ], .denied, "AccessDenied"
        ),
        (["AWS_SESSION_TOKEN": "stale"], .authentication, ""),
        (["AWS_SECRET_ACCESS_KEY": ""], .credentials, ""),
        (["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""], .credentials, ""),
    ])
    func whoMayNotIsTold(changes: [String: String], code: AWSError.Code, word: String) async throws {
        let cloud = try CloudServer()
        let found = try #require(await failure(try cloud.client(changes)))
        #expect(found.code == code, "\(found)")
        if !word.isEmpty { #expect(found.word == word) }
        #expect(!found.advice.isEmpty)
        #expect(!"\(found) \(found.advice)".contains(CloudServer.secretKey))
    }

    @Test func theSameIsToldInJSONAndInEC2sForm() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client([
            "AWS_ACCESS_KEY_ID": CloudServer.powerless.access, "AWS_SECRET_ACCESS_KEY": CloudServer.powerless.secret,
        ])
        let stop = AWSCall.query(.ec2, "StopInstances", [("InstanceId.1", "i-0a000000000000001")], .once)
        #expect(await failure(client, stop)?.word == "UnauthorizedOperation")
        let tasks = AWSCall.json(.ecs, "ListTasks", ["cluster": .string("squall")], .read)
        #expect(await failure(client, tasks)?.word == "AccessDeniedException")
    }

    @Test func whatIsNotThereAndWhatIsNotUnderstoodAreToldApart() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client()
        let missing = try #require(await failure(client, DatabaseCluster.call("nobody")))
        #expect(missing.code == .notFound && missing.word == "DBClusterNotFoundFault" && missing.status == 404)
        #expect(!missing.requestID.isEmpty)
        let malformed = AWSCall.query(.ec2, "DescribeInstances", [("InstanceId.1", "nonsense")], .read)
        #expect(await failure(client, malformed)?.word == "InvalidInstanceID.Malformed")
        let dry = AWSCall.query(
            .ec2, "StopInstances", [("InstanceId.1", "i-0a000000000000001"), ("DryRun", "true")], .read)
        #expect(await failure(client, dry)?.code == .dryRunPassed)
        // A region that the credentials' partition has, and the cloud does not serve.
        let elsewhere = try #require(await failure(client, region: "eu-north-1"))
        #expect(elsewhere.code == .authentication, "\(elsewhere)")
    }

    @Test func aReadIsRepeatedUntilItSucceeds() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client()
        let ways: [[String: JSONValue]] = [
            ["status": .integer(400), "code": .string("Throttling")],
            ["status": .integer(503), "body": .string("<html><body>Service Unavailable</body></html>")],
            ["truncate": .integer(60)], ["drop": .string("before")], ["drop": .string("after")],
        ]
        for way in ways {
            try await cloud.lab(.delete, "calls")
            try await cloud.spoil(
                way.merging(["action": .string("DescribeDBClusters"), "times": .integer(2)]) { _, new in new })
            #expect(await failure(client) == nil, "\(way)")
            #expect(try await cloud.count("DescribeDBClusters") == 3, "\(way)")
        }
        try await cloud.spoil([
            "action": .string("DescribeDBClusters"), "times": .integer(3), "status": .integer(503),
            "body": .string("<html><body>Service Unavailable</body></html>"),
        ])
        let given = try #require(await failure(client))
        #expect(given.code == .server && given.status == 503 && given.message.contains("Service Unavailable"))
    }

    @Test func aChangeWhoseAnswerIsLostIsSentOnce() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client()
        let call = AWSCall.query(.rds, "FailoverDBCluster", [("DBClusterIdentifier", "app")], .once)
        try await cloud.spoil(["action": .string("FailoverDBCluster"), "drop": .string("after")])
        let lost = try #require(await failure(client, call))
        #expect(lost.mayHaveHappened)
        #expect(try await cloud.count("FailoverDBCluster") == 1)
        // One that AWS did not take up may be sent again.
        try await cloud.lab(.post, "reset")
        try await cloud.spoil([
            "action": .string("FailoverDBCluster"), "status": .integer(400), "code": .string("Throttling"),
        ])
        #expect(await failure(client, call) == nil)
        #expect(try await cloud.count("FailoverDBCluster") == 2)
    }

    @Test func aClockThatIsWrongIsCorrectedOnce() async throws {
        let cloud = try CloudServer()
        let client = try cloud.client()
        try await cloud.lab(.post, "clock", .object(["offset": .integer(3_600)]))
        #expect(await failure(client) == nil)
        #expect(try await cloud.count("DescribeDBClusters") == 2)
        // What was learnt is kept.
        #expect(await failure(client) == nil)
        #expect(try await cloud.count("DescribeDBClusters") == 3)
    }

    @Test func aSessionThatHasEndedIsTold() async throws {
        let cloud = try CloudServer()
        let assumed = try await cloud.client().perform(
            .query(
                .sts, "AssumeRole",
                [("RoleArn", "arn:aws:iam::123456789012:role/squall-drill"), ("RoleSessionName", "test")], .idempotent),
            region: "us-east-1")
        let keys = try #require(assumed.xml["Credentials"])
        let access = keys.string("AccessKeyId") ?? ""
        let client = try cloud.client([
            "AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": keys.string("SecretAccessKey") ?? "",
            "AWS_SESSION_TOKEN": keys.string("SessionToken") ?? "",
        ])
        #expect(await failure(client) == nil)
        try await cloud.lab(.post, "sessions/expire", .object(["access-key": .string(access)]))
        let ended = try #require(await failure(client))
        #expect(ended.code == .expired, "\(ended)")
        #expect(ended.advice.contains("new credentials"))
    }
}
