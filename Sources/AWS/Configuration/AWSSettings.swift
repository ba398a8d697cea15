package import Experiment

/// What the environment and the shared files say: profile, region, endpoints. Read once, when AWS is first needed.
package struct AWSSettings: Sendable {
    let environment: [String: String]
    let files: FileAccess
    /// The profile in force: `AWS_PROFILE`, `AWS_DEFAULT_PROFILE`, else `default`.
    let profileName: String
    /// Of the file of credentials and the file of settings; empty where there is none.
    private let credentials: ProfileFile
    private let config: ProfileFile

    /// Throws when a file cannot be read, or a profile was named that no file has.
    package init(environment: [String: String], files: FileAccess = .system) throws(AWSError) {
        self.environment = environment.filter { !$0.value.isEmpty }
        self.files = files
        let folder = "\(environment["HOME"] ?? "/root")/.aws"
        credentials = try Self.read(environment["AWS_SHARED_CREDENTIALS_FILE"] ?? "\(folder)/credentials", files)
        config = try Self.read(environment["AWS_CONFIG_FILE"] ?? "\(folder)/config", files)
        let named = self.environment["AWS_PROFILE"] ?? self.environment["AWS_DEFAULT_PROFILE"]
        profileName = named ?? "default"
        if let named, profile(named) == nil {
            throw AWSError(
                .configuration, "there is no profile '\(named)' in ~/.aws/config or ~/.aws/credentials",
                advice: "aws configure list-profiles")
        }
    }

    /// A profile's keys, those of the file of credentials first; nil when no file has it.
    func profile(_ name: String) -> [String: String]? {
        let settings = config["profile \(name)"] ?? (name == "default" ? config["default"] : nil)
        guard settings != nil || credentials[name] != nil else { return nil }
        return (settings ?? [:]).merging(credentials[name] ?? [:]) { _, secret in secret }
    }

    /// A section of its own: `sso-session corp`, `services lab`.
    func section(_ kind: String, _ name: String) -> [String: String]? { config["\(kind) \(name)"] }

    /// The profile in force; empty when there is none.
    var profile: [String: String] { profile(profileName) ?? [:] }

    /// The region that the environment or the profile names; nil when none does. Never a default.
    var region: String? { environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"] ?? profile["region"] }

    /// Instead of AWS's own endpoint, for one service or for all; nil when none is set.
    func endpointOverride(_ service: AWSService) -> String? {
        if isTrue(environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]) { return nil }
        if let url = environment["AWS_ENDPOINT_URL_\(service.endpointKey)"] ?? environment["AWS_ENDPOINT_URL"] {
            return url
        }
        if isTrue(profile["ignore_configured_endpoint_urls"]) { return nil }
        let services = profile["services"].flatMap { section("services", $0) }
        return services?["\(service.endpointKey.lowercased()).endpoint_url"] ?? profile["endpoint_url"]
    }

    var usesFIPS: Bool { isTrue(environment["AWS_USE_FIPS_ENDPOINT"] ?? profile["use_fips_endpoint"]) }
    var usesDualStack: Bool { isTrue(environment["AWS_USE_DUALSTACK_ENDPOINT"] ?? profile["use_dualstack_endpoint"]) }

    /// PEM file of the authorities to trust; nil: the system's.
    var authorityFile: String? { environment["AWS_CA_BUNDLE"] ?? profile["ca_bundle"] }

    /// Attempts in all; three unless said otherwise.
    var attempts: Int {
        (environment["AWS_MAX_ATTEMPTS"] ?? profile["max_attempts"]).flatMap { Int($0) }.map { max(1, $0) } ?? 3
    }

    func isTrue(_ text: String?) -> Bool { text?.lowercased() == "true" || text == "1" }

    private static func read(_ path: String, _ files: FileAccess) throws(AWSError) -> ProfileFile {
        guard files.exists(path) else { return .empty }
        do throws(FileProblem) {
            return ProfileFile(parsing: String(decoding: try files.read(path), as: UTF8.self))
        } catch {
            throw AWSError(.configuration, "\(path) cannot be read: \(error)", advice: "ls -l \(path)")
        }
    }
}
