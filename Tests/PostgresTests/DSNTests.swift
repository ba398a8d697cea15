import Basics
import Contracts
import Experiment
import PostgresSupport
import Testing

@testable import Postgres

/// Connection strings: what is accepted when a file is loaded, and what a secret may and may not do.
@Suite struct DSNTests {
    static let secrets = SecretStore([
        NamedValue(name: "password", value: SecretReference(type: .env, key: "P")),
        NamedValue(name: "whole", value: SecretReference(type: .env, key: "W")),
    ]) { (reference) throws(FaultError) in
        switch reference.key {
        case "P": "it's a \\ secret & more"
        case "W": "postgresql://u:inner-secret@db.example:6432/app"
        default: throw FaultError(.notFound, "no \(reference.key)")
        }
    }

    @Test(arguments: [
        "host=127.0.0.1 port=5000 user=postgres dbname=app", "postgresql://postgres@127.0.0.1:5001/app",
        "postgres://u:${password}@a,b:5433/app?target_session_attrs=read-write", "host=a password=${password}",
        "${whole}",
    ])
    func acceptsBothFormsAndReferencesToSecrets(text: String) {
        #expect(DSN(text).problem == nil)
    }

    @Test(arguments: [
        ("host=a password=visible", "clear text"), ("postgresql://u:visible@a/app", "clear text"),
        ("host=a hots=b", "hots"), ("postgresql://[a/x", "IPv6"),
        ("host=a password=visi visible", "not a connection string"), ("service=orders", "services"), ("nonsense", "="),
    ])
    func refusesWhatCannotBeReadOrWouldLeak(text: String, expected: String) {
        let problem = DSN(text).problem
        #expect(problem?.contains(expected) == true)
        #expect(problem?.contains("visible") == false)
    }

    @Test func aSecretNeedsNoQuotingAndShowsNowhere() throws {
        let parameters = try DSN("host=a user=u password=${password}").revealed(Self.secrets)
        #expect(parameters["password"] == "it's a \\ secret & more")
        #expect(parameters.description == "host=a user=u")
        let whole = try DSN("${whole}").revealed(Self.secrets)
        #expect(whole["host"] == "db.example")
        #expect(whole["password"] == "inner-secret")
        #expect(!whole.description.contains("inner"))
        #expect(DSN("${whole}").description == "${whole}")
    }

    @Test func aMissingSecretIsAnErrorThatNamesIt() {
        let store = SecretStore([NamedValue(name: "gone", value: SecretReference(type: .env, key: "G"))]) {
            (reference) throws(FaultError) in throw FaultError(.notFound, "the variable \(reference.key) is not set")
        }
        #expect(throws: PostgresError(.invalidDSN, phase: .connect, message: "the variable G is not set")) {
            try DSN("host=a password=${gone}").revealed(store)
        }
    }

    @Test func eachHostGetsItsOwnAddressAndPort() throws {
        let endpoints = try DSN("host=a,/run/pg,c port=1,2,3").revealed(.empty).endpoints()
        #expect(endpoints.map(\.host) == ["a", "/run/pg", "c"])
        #expect(endpoints.map(\.port) == ["1", "2", "3"])
        #expect(endpoints.map(\.needsLookup) == [true, false, true])
        #expect(try DSN("host=a,b port=7").revealed(.empty).endpoints().map(\.port) == ["7", "7"])
        #expect(try DSN("hostaddr=10.0.0.1 host=a").revealed(.empty).endpoints().first?.needsLookup == false)
        #expect(throws: PostgresError.self) { try DSN("host=a,b port=1,2,3").revealed(.empty).endpoints() }
    }

    @Test func preferStandbyIsTwoPasses() throws {
        let parameters = try DSN("host=a target_session_attrs=prefer-standby connect_timeout=1").revealed(.empty)
        #expect(parameters.sessionPasses == ["standby", "any"])
        #expect(parameters.secondsPerEndpoint == 2)
    }

    @Test(arguments: [
        ("20261122-141653-ab12", "orders", "squall_20261122_141653_ab12_orders"), ("R", "Ä b", "squall_r____b"),
    ])
    func aSchemaHasAPlainName(run: String, probe: String, expected: String) {
        #expect(schemaName(run: run, probe: probe) == expected)
    }

    @Test func aLongNameIsCutAndStaysUnique() {
        let long = String(repeating: "x", count: 80)
        let (first, second) = (schemaName(run: "r", probe: long + "1"), schemaName(run: "r", probe: long + "2"))
        #expect(first != second)
        #expect(first.utf8.count <= 63 && second.utf8.count <= 63)
    }

    @Test func aPoolIsSizedForAStallAndBoundedByTheServer() {
        #expect(PoolSizing.needed(rate: Rate(perSecond: 200), timeout: .seconds(2)) == 440)
        #expect(PoolSizing.needed(rate: Rate(perSecond: 10), timeout: .seconds(1)) == 18)
        #expect(PoolSizing.available(maximum: 300, reserved: 3, used: 9, descriptors: 1_024) == 280)
        #expect(PoolSizing.available(maximum: 5_000, reserved: 3, used: 9, descriptors: 1_024) == 896)
        #expect(PoolSizing.available(maximum: 5, reserved: 3, used: 9, descriptors: 1_024) == 0)
        let sizing = PoolSizing(needed: 440, available: 280)
        #expect(sizing.limit == 280 && !sizing.isUseless)
        #expect(sizing.endurance(rate: Rate(perSecond: 200)) == .milliseconds(1_400))
        #expect(PoolSizing(needed: 440, available: 43).isUseless)
    }
}
