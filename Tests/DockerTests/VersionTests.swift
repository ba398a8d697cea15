import Contracts
import TestSupport
import Testing

@testable import Docker

@Suite struct VersionTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test(arguments: [
        ("1.41", "1.12", "1.41"), ("1.52", "1.44", "1.47"), ("1.47", "1.47", "1.47"), ("1.24", "1.12", "1.24"),
        ("1.60", "1.50", "1.50"), ("1.43", nil, "1.43"),
    ])
    func theSmallerOfBothNewestVersionsIsSpoken(newest: String, oldest: String?, spoken: String) async throws {
        let engine = try FakeEngine(folder, newest: newest, oldest: oldest)
        let client = try engine.client()
        #expect(try await client.version().api.description == spoken)
        // The engine answers with the version in the path.
        #expect(try await client.containers(.any, labels: [:]).map(\.id) == [spoken])
    }

    @Test(arguments: [("1.41", "1.12", "1.30"), ("1.52", "1.44", "1.44")])
    func aPinnedVersionIsSpokenAsItIs(newest: String, oldest: String, pinned: String) async throws {
        let engine = try FakeEngine(folder, newest: newest, oldest: oldest)
        let client = try engine.client(["DOCKER_API_VERSION": pinned])
        #expect(try await client.containers(.any, labels: [:]).map(\.id) == [pinned])
    }

    @Test(arguments: [("1.41", "1.12", "1.44"), ("1.52", "1.44", "1.41")])
    func aPinnedVersionOutsideTheEnginesRangeIsRefused(newest: String, oldest: String, pinned: String) async throws {
        let engine = try FakeEngine(folder, newest: newest, oldest: oldest)
        let client = try engine.client(["DOCKER_API_VERSION": pinned])
        let error = await #expect(throws: FaultError.self) { try await client.version() }
        #expect(error?.code == .notApplicable)
        #expect(error?.message.contains("\(oldest) to \(newest)") == true)
        #expect(error?.advice == "unset DOCKER_API_VERSION")
    }

    @Test(arguments: ["1.23", ""])
    func anEngineThatIsTooOldIsRefused(newest: String) async throws {
        let engine = try FakeEngine(folder, newest: newest, oldest: "1.12")
        let error = await #expect(throws: FaultError.self) { try await engine.client().version() }
        #expect(error?.code == .notApplicable)
        #expect(error?.message.contains("1.24") == true)
    }

    @Test(arguments: ["", "1", "1.x", "1.2.3", "-1.2", "latest"])
    func whatIsNoVersionIsNotRead(text: String) {
        #expect(APIVersion(parsing: text) == nil)
    }

    @Test func versionsAreOrderedByNumbersNotByText() throws {
        #expect(try #require(APIVersion(parsing: "1.9")) < APIVersion(1, 10))
    }

    @Test(arguments: [
        (404, FaultError.Code.notFound), (409, .notApplicable), (403, .denied), (401, .denied), (500, .unexpected),
        (400, .unexpected),
    ])
    func theStatusDecidesTheError(status: Int, code: FaultError.Code) async throws {
        let engine = try FakeEngine(folder, newest: "1.41", oldest: "1.12")
        let client = try engine.client()
        let read = await #expect(throws: FaultError.self) { try await client.inspect("status-\(status)") }
        let changed = await #expect(throws: FaultError.self) { try await client.pause("status-\(status)") }
        #expect(read?.code == code)
        #expect(changed?.code == code)
        #expect(read?.message.contains("because") == true)
    }

    @Test func missingAndUnknownFieldsAreNoError() async throws {
        let engine = try FakeEngine(folder, newest: "1.41", oldest: "1.12")
        let client = try engine.client()
        let details = try await client.inspect("anything")
        #expect(details == ContainerDetails(id: "abc", name: "", state: .other(""), document: details.document))
        #expect(try await client.containers(.any, labels: [:]).map(\.name) == ["web"])
    }

    @Test func noEngineIsUnreachableAndSaysWhatToType() async throws {
        let endpoint = try DockerEndpoint.resolve(environment: ["DOCKER_HOST": "unix://\(folder.path)/none.sock"])
        let error = await #expect(throws: FaultError.self) { try await DockerClient(endpoint).version() }
        #expect(error?.code == .unreachable)
        #expect(error?.message.contains("none.sock (from DOCKER_HOST)") == true)
        #expect(error?.advice.contains("systemctl start docker") == true)
    }
}
