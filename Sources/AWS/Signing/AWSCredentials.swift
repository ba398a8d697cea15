package import Basics

/// Keys that sign requests. No description, dump or error of ours shows the secret or the token.
package struct AWSCredentials: Sendable, Hashable {
    package var accessKey: String
    var secretKey: String
    /// Of temporary credentials; sent, and signed, with each request.
    var sessionToken: String?
    /// When AWS stops accepting them; nil: never.
    package var expiration: WallInstant?
    /// When no new ones can be had in their place without a person; nil: never, or nobody says when.
    package var end: WallInstant?
    /// Where they came from, for people: `environment`, `profile drill`, `role arn:…`.
    package var source: String

    package init(
        accessKey: String, secretKey: String, sessionToken: String? = nil, expiration: WallInstant? = nil,
        end: WallInstant? = nil, source: String
    ) {
        self.accessKey = accessKey
        self.secretKey = secretKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.end = end
        self.source = source
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "access key \(accessKey) (\(source))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
