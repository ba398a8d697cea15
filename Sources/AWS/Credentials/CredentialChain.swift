internal import Basics
internal import Experiment
internal import Process

/// Finds credentials where AWS's own tools find them, in their order; the first place that has some decides.
///
/// Source: botocore's credential resolver, whose order the command line shares: environment, role of the profile, web
/// identity, single sign-on, keys of the profile, `credential_process`, container, instance metadata.
struct CredentialChain: Sendable {
    let settings: AWSSettings
    let transport: AWSTransport
    let commands: any CommandRunner

    /// Throws `credentials` with every place that was looked at when none has any; a place that has some which cannot be
    /// used is an error, never passed over: the next one might belong to another account.
    func resolve() async throws(AWSError) -> AWSCredentials {
        if let found = try staticKeys(settings.environment.mapKeys(Self.environmentKeys), "the environment") {
            return found
        }
        if let found = try await ofProfile(settings.profileName, visited: []) { return found }
        if let found = try await webIdentityOfEnvironment() { return found }
        if let found = try await ContainerCredentials(settings, transport).find() { return found }
        if let found = try await InstanceMetadata(settings, transport).credentials() { return found }
        throw AWSError(
            .credentials,
            "no AWS credentials: not in the environment, profile '\(settings.profileName)', a web identity, the "
                + "container or the instance", advice: "aws configure, aws sso login, or export AWS_PROFILE=…")
    }

    /// What a profile leads to; nil when it has no credentials of any kind.
    func ofProfile(_ name: String, visited: [String]) async throws(AWSError) -> AWSCredentials? {
        guard let profile = settings.profile(name) else { return nil }
        guard !visited.contains(name) else {
            let chain = (visited + [name]).joined(separator: " → ")
            throw AWSError(.credentials, "the profiles lead in a circle: \(chain)", advice: "edit ~/.aws/config")
        }
        if let role = profile["role_arn"] {
            return try await assumed(role, by: profile, named: name, visited: visited + [name])
        }
        if profile["sso_session"] != nil || profile["sso_start_url"] != nil {
            return try await SingleSignOn(settings, transport).credentials(profile, named: name)
        }
        if let found = try staticKeys(profile, "profile \(name)") { return found }
        if let process = profile["credential_process"] {
            return try await CredentialProcess(commands, transport.time, settings.environment).run(process, for: name)
        }
        return nil
    }

    private static let environmentKeys = [
        "AWS_ACCESS_KEY_ID": "aws_access_key_id", "AWS_SECRET_ACCESS_KEY": "aws_secret_access_key",
        "AWS_SESSION_TOKEN": "aws_session_token", "AWS_CREDENTIAL_EXPIRATION": "expiration",
    ]

    /// Two keys and perhaps a token; half a pair is an error, because what comes next would be somebody else's.
    private func staticKeys(_ keys: [String: String], _ source: String) throws(AWSError) -> AWSCredentials? {
        switch (keys["aws_access_key_id"], keys["aws_secret_access_key"]) {
        case (nil, nil): return nil
        case (let access?, let secret?):
            let expiration = keys["expiration"].flatMap { WallInstant(parsingISO8601: $0) }
            return AWSCredentials(
                accessKey: access, secretKey: secret, sessionToken: keys["aws_session_token"], expiration: expiration,
                end: expiration, source: source)
        case (let access, _):
            throw AWSError(
                .credentials,
                "\(source) has \(access == nil ? "a secret key without its access key" : "an access key without its secret")",
                advice: "set both, or neither")
        }
    }
}

extension [String: String] {
    /// The entries that the table names, under its names.
    fileprivate func mapKeys(_ names: [String: String]) -> [String: String] {
        var mapped: [String: String] = [:]
        for (name, other) in names { mapped[other] = self[name] }
        return mapped
    }
}
