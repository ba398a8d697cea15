internal import Basics
internal import Experiment

extension CredentialChain {
    /// A role's credentials, asked for with those of another profile or another place.
    func assumed(
        _ role: String, by profile: [String: String], named name: String, visited: [String]
    ) async throws(AWSError) -> AWSCredentials {
        if let file = profile["web_identity_token_file"] {
            return try await webIdentity(role, tokenFile: file, session: profile["role_session_name"], profile)
        }
        guard profile["mfa_serial"] == nil else {
            throw AWSError(
                .credentials, "profile \(name) asks for a one-time code (mfa_serial), which no run can type",
                advice: "aws sts get-session-token, then export its three values")
        }
        let source = try await sourceCredentials(profile, named: name, visited: visited)
        var fields = [("RoleArn", role), ("RoleSessionName", profile["role_session_name"] ?? "squall")]
        if let external = profile["external_id"] { fields.append(("ExternalId", external)) }
        if let seconds = profile["duration_seconds"] { fields.append(("DurationSeconds", seconds)) }
        let call = AWSCall.query(.sts, "AssumeRole", fields, .idempotent)
        let answer = try await transport.perform(call, region: try region(profile), credentials: source)
        var credentials = try Self.credentials(answer, source: "role \(role)")
        credentials.end = source.end
        return credentials
    }

    /// The identity that the environment names: a pod's service account.
    func webIdentityOfEnvironment() async throws(AWSError) -> AWSCredentials? {
        guard let file = settings.environment["AWS_WEB_IDENTITY_TOKEN_FILE"] else { return nil }
        guard let role = settings.environment["AWS_ROLE_ARN"] else {
            throw AWSError(
                .credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not",
                advice: "export AWS_ROLE_ARN=arn:aws:iam::ACCOUNT:role/NAME")
        }
        return try await webIdentity(
            role, tokenFile: file, session: settings.environment["AWS_ROLE_SESSION_NAME"], [:])
    }

    private func sourceCredentials(
        _ profile: [String: String], named name: String, visited: [String]
    ) async throws(AWSError) -> AWSCredentials {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (let source?, nil):
            // A profile that assumes its role with keys of its own names itself.
            if source == name, let access = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"]
            {
                return AWSCredentials(accessKey: access, secretKey: secret, source: "profile \(name)")
            }
            guard let found = try await ofProfile(source, visited: visited) else {
                throw AWSError(
                    .credentials, "profile \(name) takes its credentials from '\(source)', which has none",
                    advice: "aws configure --profile \(source)")
            }
            return found
        case (nil, "Environment"):
            guard let access = settings.environment["AWS_ACCESS_KEY_ID"],
                let secret = settings.environment["AWS_SECRET_ACCESS_KEY"]
            else { throw missing("the environment", name) }
            return AWSCredentials(
                accessKey: access, secretKey: secret, sessionToken: settings.environment["AWS_SESSION_TOKEN"],
                source: "the environment")
        case (nil, "Ec2InstanceMetadata"):
            guard let found = try await InstanceMetadata(settings, transport).credentials() else {
                throw missing("the instance's metadata", name)
            }
            return found
        case (nil, "EcsContainer"):
            guard let found = try await ContainerCredentials(settings, transport).find() else {
                throw missing("the container", name)
            }
            return found
        default:
            throw AWSError(
                .credentials,
                "profile \(name) needs exactly one of source_profile and credential_source (Environment, "
                    + "Ec2InstanceMetadata, EcsContainer)", advice: "edit ~/.aws/config")
        }
    }

    private func missing(_ place: String, _ name: String) -> AWSError {
        AWSError(
            .credentials, "profile \(name) takes its credentials from \(place), which has none",
            advice: "edit ~/.aws/config")
    }

    private func webIdentity(
        _ role: String, tokenFile: String, session: String?, _ profile: [String: String]
    ) async throws(AWSError) -> AWSCredentials {
        let token: String
        do throws(FileProblem) {
            token = String(decoding: try settings.files.read(tokenFile), as: UTF8.self)
        } catch {
            throw AWSError(
                .credentials, "the web identity's token \(tokenFile) cannot be read: \(error)",
                advice: "ls -l \(tokenFile)")
        }
        let fields = [
            ("RoleArn", role), ("RoleSessionName", session ?? "squall"),
            ("WebIdentityToken", token.split(whereSeparator: \.isWhitespace).joined()),
        ]
        var call = AWSCall.query(.sts, "AssumeRoleWithWebIdentity", fields, .idempotent)
        call.isUnsigned = true
        let answer = try await transport.perform(call, region: try region(profile))
        return try Self.credentials(answer, source: "web identity \(role)")
    }

    /// Where to ask for a role: the profile's region, or the one in force.
    private func region(_ profile: [String: String]) throws(AWSError) -> String {
        guard let region = profile["region"] ?? settings.region else { throw AWSError.noRegion }
        return region
    }

    private static func credentials(_ answer: AWSAnswer, source: String) throws(AWSError) -> AWSCredentials {
        let keys = answer.xml["Credentials"]
        guard let access = keys?.string("AccessKeyId"), let secret = keys?.string("SecretAccessKey"),
            let token = keys?.string("SessionToken"),
            let expiration = keys?.string("Expiration").flatMap({ WallInstant(parsingISO8601: $0) })
        else {
            throw AWSError(
                .unexpected, "the answer for \(source) has no credentials in it", requestID: answer.requestID)
        }
        return AWSCredentials(
            accessKey: access, secretKey: secret, sessionToken: token, expiration: expiration, source: source)
    }
}

extension AWSError {
    static let noRegion = AWSError(
        .configuration, "no region is set", advice: "export AWS_REGION=us-east-1, or write region: in the file")
}
