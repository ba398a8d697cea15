import AWSSupport
import Basics
import Experiment
import HTTP
import Process
import TestSupport
import Testing

@testable import AWS

/// Where credentials come from, in which order, and what is said when they cannot be used.
@Suite struct CredentialTests {
    private static let folder = "/home/drill/.aws"

    private func client(
        _ environment: [String: String] = [:], config: String = "", credentials: String = "",
        files: [String: String] = [:]
    ) throws -> AWSClient {
        let all = files.merging([
            "\(Self.folder)/config": config, "\(Self.folder)/credentials": credentials,
        ]) { _, own in own }
        let base = ["HOME": "/home/drill", "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin:/bin"]
        return AWSClient(
            http: try HTTPClient(), commands: try LocalCommandRunner(),
            environment: base.merging(environment) { _, own in own }, files: .memory(all), random: { 0 })
    }

    private func found(_ client: AWSClient) async -> Result<AWSCredentials, AWSError> {
        do throws(AWSError) {
            return .success(try await client.credentials())
        } catch {
            return .failure(error)
        }
    }

    private let files = """
        [default]
        aws_access_key_id = AKIADEFAULT
        aws_secret_access_key = default-secret # a comment
        [other]
        aws_access_key_id=AKIAOTHER
        aws_secret_access_key=other#secret
        aws_session_token = other-token
        [half]
        aws_access_key_id = AKIAHALF
        """

    @Test func theEnvironmentComesBeforeTheFilesAndANamedProfileBeforeTheDefault() async throws {
        let environment = ["AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "env-secret"]
        let first = try await found(try client(environment, credentials: files)).get()
        #expect(first.accessKey == "AKIAENV" && first.secretKey == "env-secret")
        let byDefault = try await found(try client(credentials: files)).get()
        #expect(byDefault.accessKey == "AKIADEFAULT" && byDefault.secretKey == "default-secret")
        let named = try await found(try client(["AWS_PROFILE": "other"], credentials: files)).get()
        #expect(
            named.accessKey == "AKIAOTHER" && named.secretKey == "other#secret" && named.sessionToken == "other-token")
    }

    @Test(arguments: [
        (["AWS_ACCESS_KEY_ID": "AKIA"], "an access key without its secret"),
        (["AWS_PROFILE": "half"], "an access key without its secret"),
        (["AWS_PROFILE": "nobody"], "there is no profile 'nobody'"),
        (["AWS_PROFILE": "circle"], "circle → square → circle"),
        (["AWS_PROFILE": "both"], "exactly one of source_profile and credential_source"),
        (["AWS_PROFILE": "code"], "one-time code"),
        (["AWS_PROFILE": "sign-on"], "nobody is signed on"),
        (["AWS_PROFILE": "quote"], "a quote is not closed"),
        (["AWS_PROFILE": "fails"], "failed"),
        (["AWS_PROFILE": "chatters"], "printed no JSON"),
        (["AWS_PROFILE": "missing"], "which has none"),
        (["AWS_WEB_IDENTITY_TOKEN_FILE": "/token"], "AWS_ROLE_ARN is not"),
        (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"], "may not be asked without TLS"),
        ([:], "no AWS credentials"),
    ])
    func whatCannotBeUsedIsAnErrorAndNeverPassedOver(environment: [String: String], words: String) async throws {
        let config = """
            [profile circle]
            role_arn = arn:aws:iam::1:role/a
            source_profile = square
            [profile square]
            role_arn = arn:aws:iam::1:role/b
            source_profile = circle
            [profile both]
            role_arn = arn:aws:iam::1:role/a
            source_profile = default
            credential_source = Environment
            [profile code]
            role_arn = arn:aws:iam::1:role/a
            mfa_serial = arn:aws:iam::1:mfa/me
            source_profile = default
            [profile missing]
            role_arn = arn:aws:iam::1:role/a
            source_profile = empty
            [profile empty]
            region = us-east-1
            [profile sign-on]
            sso_session = corp
            sso_account_id = 123456789012
            sso_role_name = Drill
            [sso-session corp]
            sso_start_url = https://corp.awsapps.com/start
            sso_region = us-east-1
            [profile quote]
            credential_process = give "me
            [profile fails]
            credential_process = /bin/false
            [profile chatters]
            credential_process = /bin/echo secret-that-must-not-show
            """
        let credentials = "[half]\naws_access_key_id = AKIAHALF\n"
        let result = await found(try client(environment, config: config, credentials: credentials))
        guard case .failure(let error) = result else {
            Issue.record("\(result)")
            return
        }
        #expect("\(error)".contains(words), "\(error)")
        #expect(!"\(error)".contains("secret-that-must-not-show"))
    }

    @Test func aProgramIsRunWithoutAShell() async throws {
        let folder = try TemporaryFolder()
        let document =
            #"{"Version": 1, "AccessKeyId": "AKIAPROG", "SecretAccessKey": "s", "Expiration": "2036-01-02T03:04:05Z"}"#
        let file = try folder.write(document, to: "with a blank; $HOME")
        let config = "[default]\ncredential_process = /bin/cat '\(file)'\n"
        let credentials = try await found(try client(config: config)).get()
        #expect(credentials.accessKey == "AKIAPROG")
        #expect(credentials.end?.iso8601 == "2036-01-02T03:04:05.000Z")
    }

    @Test func rolesAreChainedAndTheirCredentialsWork() async throws {
        let cloud = try CloudServer()
        let config = """
            [profile keys]
            aws_access_key_id = \(CloudServer.accessKey)
            aws_secret_access_key = \(CloudServer.secretKey)
            [profile first]
            role_arn = arn:aws:iam::123456789012:role/squall-drill
            source_profile = keys
            [profile second]
            role_arn = arn:aws:iam::123456789012:role/squall-drill
            source_profile = first
            role_session_name = game-day
            region = us-east-1
            """
        let client = try client(
            ["AWS_PROFILE": "second", "AWS_ENDPOINT_URL": cloud.url, "AWS_REGION": "us-east-1"], config: config)
        let identity = try await client.perform(.query(.sts, "GetCallerIdentity", [], .read), region: "us-east-1")
        #expect(identity.xml.string("Arn")?.hasSuffix("assumed-role/squall-drill/game-day") == true, "\(identity)")
        #expect(try await cloud.count("AssumeRole") == 2)
        #expect(try await client.credentials().expiration != nil)
    }

    @Test func aWebIdentityNeedsNoSignature() async throws {
        let cloud = try CloudServer()
        let client = try client(
            [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token", "AWS_ENDPOINT_URL": cloud.url,
                "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/squall-drill", "AWS_REGION": "us-east-1",
            ], files: ["/var/run/token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwb2QifQ.\n"])
        let identity = try await client.perform(.query(.sts, "GetCallerIdentity", [], .read), region: "us-east-1")
        #expect(identity.xml.string("Arn")?.contains("assumed-role/squall-drill") == true)
    }

    @Test func anInstanceATaskAndASignOnGiveThem() async throws {
        let server = try ChildProcess(["python3", "\(CloudServer.root)/Tests/AWSTests/Oracle/metadata.py"])
        let port = try #require(server.line())
        let metadata = [
            "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(port)/",
        ]
        let instance = try client(metadata)
        #expect(try await found(instance).get().accessKey == "ASIAINSTANCE")
        #expect(try await instance.region(nil) == "eu-west-1")
        let task = try client([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(port)/task",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "task-token",
        ])
        let ofTask = try await found(task).get()
        #expect(ofTask.accessKey == "ASIATASK" && ofTask.sessionToken == "instance-token")
        let config = """
            [default]
            sso_session = corp
            sso_account_id = 123456789012
            sso_role_name = Drill
            [sso-session corp]
            sso_start_url = https://corp.awsapps.com/start
            sso_region = us-east-1
            """
        let name = Digest.hexadecimal(Digest.sha1("corp".utf8))
        func signOn(_ expires: String) throws -> AWSClient {
            try client(
                ["AWS_ENDPOINT_URL_SSO": "http://127.0.0.1:\(port)"], config: config,
                files: [
                    "\(Self.folder)/sso/cache/\(name).json":
                        #"{"accessToken": "sso-token", "expiresAt": "\#(expires)"}"#
                ])
        }
        let signedOn = try await found(try signOn("2036-11-29T12:00:00Z")).get()
        #expect(signedOn.accessKey == "ASIASSO" && signedOn.end?.iso8601.hasPrefix("2036-11-29") == true)
        let ended = await found(try signOn("2020-01-01T00:00:00Z"))
        guard case .failure(let error) = ended else {
            Issue.record("\(ended)")
            return
        }
        #expect(error.code == .expired && error.advice == "aws sso login --profile default")
    }

    @Test func theRegionIsNeverGuessed() async throws {
        let keys = ["AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"]
        let arn = try #require(ARN("arn:aws:rds:eu-west-1:123456789012:cluster:orders"))
        let nowhere = try client(keys)
        #expect(try await nowhere.region("us-west-2") == "us-west-2")
        #expect(try await nowhere.region(nil, arn) == "eu-west-1")
        let error = await #expect(throws: AWSError.self) { try await nowhere.region(nil) }
        #expect(error?.code == .configuration)
        let conflict = await #expect(throws: AWSError.self) { try await nowhere.region("us-east-1", arn) }
        #expect(conflict?.message.contains("is in eu-west-1") == true)
        let config = "[default]\nregion = ap-south-1\n"
        #expect(try await client(keys, config: config).region(nil) == "ap-south-1")
        let both = keys.merging(["AWS_REGION": "sa-east-1", "AWS_DEFAULT_REGION": "us-east-2"]) { $1 }
        #expect(try await client(both, config: config).region(nil) == "sa-east-1")
    }

    @Test func noSecretShowsInAnyDescription() {
        let credentials = AWSCredentials(
            accessKey: "AKIA", secretKey: "the-secret", sessionToken: "the-token", source: "a test")
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\([credentials])"] {
            #expect(!text.contains("the-secret") && !text.contains("the-token"), "\(text)")
        }
    }
}
