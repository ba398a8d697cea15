internal import Basics
internal import HTTP

/// The metadata service of an EC2 instance, version 2 only: a token first, then the role's credentials or the region.
struct InstanceMetadata: Sendable {
    private static let patience = Span.seconds(1)

    private let settings: AWSSettings
    private let transport: AWSTransport

    init(_ settings: AWSSettings, _ transport: AWSTransport) {
        self.settings = settings
        self.transport = transport
    }

    /// nil when there is no such service, or the instance has no role.
    func credentials() async throws(AWSError) -> AWSCredentials? {
        guard let token = try await token() else { return nil }
        let path = "/latest/meta-data/iam/security-credentials/"
        guard let role = try await text(path, token)?.split(whereSeparator: \.isNewline).first else { return nil }
        guard let answer = try await text(path + String(role), token) else { return nil }
        guard let document = try? JSONValue(parsing: answer) else {
            throw AWSError(.credentials, "the instance's metadata hold no credentials for role \(role)")
        }
        return try CredentialDocument.read(document, source: "the instance's role \(role)")
    }

    /// The region the instance is in; nil when this is no instance.
    func region() async throws(AWSError) -> String? {
        guard let token = try await token() else { return nil }
        return try await text("/latest/meta-data/placement/region", token)
    }

    private var address: String? {
        if settings.isTrue(settings.environment["AWS_EC2_METADATA_DISABLED"]) { return nil }
        if let url = settings.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] {
            return url.hasSuffix("/") ? String(url.dropLast()) : url
        }
        let isIPv6 = settings.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"]?.lowercased() == "ipv6"
        return isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    }

    private func token() async throws(AWSError) -> String? {
        guard let address else { return nil }
        let request = HTTPRequest(
            .put, "\(address)/latest/api/token", headers: ["x-aws-ec2-metadata-token-ttl-seconds": "21600"])
        do throws(AWSError) {
            let response = try await transport.fetch(
                request, within: Self.patience, attempts: 1, what: "the instance's metadata")
            return response.status == 200 ? response.text : nil
        } catch {
            // Nobody there: this machine is no instance.
            if error.code == .cancelled { throw error }
            return nil
        }
    }

    private func text(_ path: String, _ token: String) async throws(AWSError) -> String? {
        guard let address else { return nil }
        let response = try await transport.fetch(
            HTTPRequest(.get, address + path, headers: ["x-aws-ec2-metadata-token": token]), within: Self.patience,
            attempts: 3, what: "the instance's metadata")
        return response.status == 200 ? response.text : nil
    }
}
