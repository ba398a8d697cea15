/// Where a service answers, and for which region a call to it is signed.
struct Endpoint: Sendable, Hashable {
    /// `https://rds.us-east-1.amazonaws.com`, without a slash at the end.
    var url: String
    var signingRegion: String

    /// A part of AWS with its own accounts and names.
    private struct Partition {
        var suffix: String
        var dualStackSuffix: String
        /// Where the global services' calls are signed for.
        var globalRegion: String

        init(region: String) {
            switch region.split(separator: "-").first {
            case "cn":
                self.init("amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-northwest-1")
            case "us" where region.hasPrefix("us-gov-"): self.init("amazonaws.com", "api.aws", "us-gov-west-1")
            case "us" where region.hasPrefix("us-iso-"): self.init("c2s.ic.gov", "api.aws.ic.gov", "us-iso-east-1")
            case "us" where region.hasPrefix("us-isob-"):
                self.init("sc2s.sgov.gov", "api.aws.scloud", "us-isob-east-1")
            case "eusc": self.init("amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1")
            default: self.init("amazonaws.com", "api.aws", "us-east-1")
            }
        }

        private init(_ suffix: String, _ dualStackSuffix: String, _ globalRegion: String) {
            self.suffix = suffix
            self.dualStackSuffix = dualStackSuffix
            self.globalRegion = globalRegion
        }
    }

    init(url: String, signingRegion: String) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.signingRegion = signingRegion
    }

    /// AWS's own endpoint, or the one that the settings name instead: that changes the host, never what is signed.
    init(_ service: AWSService, region: String, _ settings: AWSSettings) {
        let partition = Partition(region: region)
        let signingRegion = service.isGlobal ? partition.globalRegion : region
        if let override = settings.endpointOverride(service) {
            self.init(url: override, signingRegion: signingRegion)
            return
        }
        self.init(
            url: "https://" + Self.host(service, region, partition, settings), signingRegion: signingRegion)
    }

    private static func host(
        _ service: AWSService, _ region: String, _ partition: Partition, _ settings: AWSSettings
    ) -> String {
        let prefix = settings.usesFIPS ? "\(service.hostPrefix)-fips" : service.hostPrefix
        let suffix = settings.usesDualStack ? partition.dualStackSuffix : partition.suffix
        guard service.isGlobal else { return "\(prefix).\(region).\(suffix)" }
        switch partition.globalRegion {
        // The first partition's global names have no region; dualstack ones say `global`.
        case "us-east-1": return settings.usesDualStack ? "\(prefix).global.\(suffix)" : "\(prefix).\(suffix)"
        case "us-gov-west-1": return "\(prefix).us-gov.\(suffix)"
        default: return "\(prefix).\(suffix)"
        }
    }

    /// What stands between the scheme and the path: the Host header, with a port that is not the scheme's own.
    var host: String {
        let authority = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let host = String(authority.prefix { $0 != "/" })
        if url.hasPrefix("https://"), host.hasSuffix(":443") { return String(host.dropLast(4)) }
        if url.hasPrefix("http://"), host.hasSuffix(":80") { return String(host.dropLast(3)) }
        return host
    }

    /// A path that the override puts before each call's own; empty for AWS's endpoints.
    var pathPrefix: String {
        let authority = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        return authority.firstIndex(of: "/").map { String(authority[$0...]) } ?? ""
    }
}
