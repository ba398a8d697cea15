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

    /// The region as written in the file or named by a resource, else of the environment or the profile.
    init(written: String?, _ resource: ARN? = nil, in context: SystemContext) async throws(FaultError) {
        client = try context.services.require(AWSClient.self)
        do throws(AWSError) {
            region = try await client.region(written, resource)
        } catch {
            throw error.faultError("no region to call AWS in")
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
