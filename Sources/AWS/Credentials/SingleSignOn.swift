internal import Basics
internal import Experiment
internal import HTTP

/// Single sign-on: the token that `aws sso login` left behind buys credentials of a role.
struct SingleSignOn: Sendable {
    private let settings: AWSSettings
    private let transport: AWSTransport

    init(_ settings: AWSSettings, _ transport: AWSTransport) {
        self.settings = settings
        self.transport = transport
    }

    func credentials(_ profile: [String: String], named name: String) async throws(AWSError) -> AWSCredentials {
        let session = profile["sso_session"]
        var keys = profile
        if let session {
            guard let section = settings.section("sso-session", session) else {
                throw AWSError(
                    .credentials, "profile \(name) names sso-session '\(session)', which is not in ~/.aws/config",
                    advice: "aws configure sso-session")
            }
            keys.merge(section) { _, ofSession in ofSession }
        }
        guard let url = keys["sso_start_url"], let region = keys["sso_region"], let account = keys["sso_account_id"],
            let role = keys["sso_role_name"]
        else {
            throw AWSError(
                .credentials,
                "profile \(name) needs sso_start_url, sso_region, sso_account_id and sso_role_name",
                advice: "aws configure sso --profile \(name)")
        }
        let (token, end) = try token(session ?? url, profile: name)
        var call = AWSCall.rest(
            .sso, "GetRoleCredentials", .get, "/federation/credentials",
            query: [(name: "role_name", value: role), (name: "account_id", value: account)], .read)
        call.isUnsigned = true
        call.headers.add("x-amz-sso_bearer_token", token)
        let answer = try await transport.perform(call, region: region)
        var credentials = try CredentialDocument.read(
            answer.json["roleCredentials"] ?? .object([:]), source: "single sign-on \(account)/\(role)")
        credentials.end = end
        return credentials
    }

    /// The cached access token; its file is named after the session or the start URL.
    private func token(_ key: String, profile: String) throws(AWSError) -> (token: String, end: WallInstant) {
        let login = "aws sso login --profile \(profile)"
        let home = settings.environment["HOME"] ?? "/root"
        let path = "\(home)/.aws/sso/cache/\(Digest.hexadecimal(Digest.sha1(key.utf8))).json"
        let bytes: [UInt8]
        do throws(FileProblem) {
            bytes = try settings.files.read(path)
        } catch {
            throw AWSError(.credentials, "nobody is signed on: \(path): \(error)", advice: login)
        }
        guard let document = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)),
            let token = document["accessToken"]?.string,
            let expires = document["expiresAt"]?.string.flatMap({ WallInstant(parsingISO8601: $0) })
        else { throw AWSError(.credentials, "\(path) holds no token", advice: login) }
        guard expires.nanoseconds > transport.time.wallClock.nanoseconds else {
            throw AWSError(.expired, "the sign-on of profile \(profile) ended at \(expires.iso8601)", advice: login)
        }
        return (token, expires)
    }
}
