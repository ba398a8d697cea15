internal import Basics
internal import Contracts

/// AWS in one region, with errors as faults and probes report them.
struct AWSAccess: Sendable {
    let region: String
    private let client: AWSClient

    init(region: String, in context: SystemContext) throws(FaultError) {
        self.region = region
        client = try context.services.require(AWSClient.self)
    }

    /// Where a change was made; throws `denied` when the credentials in force are of another account.
    init(_ place: AWSPlace, in context: SystemContext) async throws(FaultError) {
        try self.init(region: place.region, in: context)
        let account = try await self.place().account
        guard account == place.account else {
            throw FaultError(
                .denied, "the credentials are of account \(account), and the change was made in \(place.account)",
                advice: "export AWS_PROFILE=… of account \(place.account), then squall heal --all")
        }
    }

    /// The region as written in the file or named by a resource, else of the environment or the profile.
    init(written: String?, _ resource: ARN? = nil, in context: SystemContext) async throws(FaultError) {
        client = try context.services.require(AWSClient.self)
        do throws(AWSError) {
            region = try await client.region(written, resource)
        } catch {
            throw error.faultError("no region to call AWS in")
        }
    }

    /// This region, of the account that the credentials in force are of.
    func place() async throws(FaultError) -> AWSPlace {
        do throws(AWSError) {
            return AWSPlace(region: region, account: try await client.account(region: region))
        } catch {
            throw error.faultError("asking whose credentials these are failed")
        }
    }

    /// What a look finds; nil when AWS says that there is no such thing.
    func ifThere<Value>(
        _ look: (AWSAccess) async throws(FaultError) -> Value
    ) async throws(FaultError) -> Value? {
        do throws(FaultError) {
            return try await look(self)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    /// - Parameter action: what was tried, for the error: `asking for cluster orders`.
    @discardableResult
    func perform(_ call: AWSCall, _ action: String) async throws(FaultError) -> AWSAnswer {
        do throws(AWSError) {
            return try await client.perform(call, region: region)
        } catch {
            throw error.faultError("\(action) failed")
        }
    }

    /// Deletes what AWS may take for used for some seconds after nothing uses it: that it is still there is for the look
    /// after the heal to say, which is repeated until the change's `recovery` has passed.
    func deleteWhenFree(_ call: AWSCall, _ action: String) async throws(FaultError) {
        do throws(FaultError) {
            try await perform(call, action)
        } catch {
            guard (error.underlying as? AWSError)?.word == "DependencyViolation" else { throw error }
        }
    }

    /// A change that has no token: nil when its answer was lost, and only the resource's state tells whether it happened.
    func change(_ call: AWSCall, _ action: String) async throws(FaultError) -> AWSAnswer? {
        do throws(AWSError) {
            return try await client.perform(call, region: region)
        } catch {
            if error.mayHaveHappened, error.code != .cancelled { return nil }
            throw error.faultError("\(action) failed")
        }
    }

    /// A list that comes in pages.
    func pages(
        _ action: String, _ call: (_ marker: String?) -> AWSCall, next: (AWSAnswer) -> String?,
        _ body: (AWSAnswer) -> Void
    ) async throws(FaultError) {
        var marker: String?
        // More pages than any account's list has: a marker that leads to itself must end, too.
        for _ in 0..<1_000 {
            let answer = try await perform(call(marker), action)
            body(answer)
            marker = next(answer)
            guard let marker, !marker.isEmpty else { return }
        }
        throw FaultError(.unexpected, "\(action): the list does not end", advice: "name the resources by their ids")
    }
}

/// `key: value` conditions of a file against the tags that a resource has.
func hasTags(_ tags: [String: String], _ wanted: [(name: String, value: String)]) -> Bool {
    wanted.allSatisfy { tags[$0.name] == $0.value }
}

extension XMLNode {
    /// A list of tags, whatever its members are called: `Key` and `Value`, in EC2 `key` and `value`.
    func tags(_ name: String) -> [String: String] {
        var tags: [String: String] = [:]
        for member in list(name) {
            if let key = member.string("Key") ?? member.string("key") {
                tags[key] = member.string("Value") ?? member.string("value") ?? ""
            }
        }
        return tags
    }
}
