import Contracts
import Experiment
import Redis
import Testing

/// Reading addresses; nothing is connected to.
@Suite struct RedisURLTests {
    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1", 6379, 0), ("cache:7000", "cache", 7000, 0),
            ("redis://cache/3", "cache", 6379, 3), ("[2001:db8::1]:7000", "2001:db8::1", 7000, 0),
            ("redis://[::1]/1", "::1", 6379, 1), ("rediss://cache.example:6380", "cache.example", 6380, 0),
        ])
    func aPlaceIsRead(text: String, host: String, port: UInt16, database: Int) throws {
        let endpoint = try RedisEndpoint(parsing: text)
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(endpoint.database == database)
        #expect((endpoint.tls != nil) == text.hasPrefix("rediss:"))
        #expect(endpoint.user == nil && endpoint.password == nil)
    }

    @Test func credentialsAndFilesAreRead() throws {
        let endpoint = try RedisEndpoint(
            parsing:
                "rediss://us%40er:p%3Ass@w@cache:1/2?ca=/a%20b.crt&certificate=/c.crt&key=/k.key&name=redis.example")
        #expect(endpoint.user == "us@er")
        #expect(endpoint.password == "p:ss@w")
        #expect(endpoint.tls?.authorities == "/a b.crt")
        #expect(endpoint.tls?.certificate == "/c.crt")
        #expect(endpoint.tls?.key == "/k.key")
        #expect(endpoint.tls?.serverName == "redis.example")
        #expect(try RedisEndpoint(parsing: "redis://:only@cache").user == nil)
        #expect(try RedisEndpoint(parsing: "redis://:only@cache").password == "only")
    }

    @Test(
        arguments: [
            ("", "no host"), ("redis://", "no host"), ("http://cache", "neither redis:// nor rediss://"),
            ("cache:0", "port"), ("cache:65536", "port"), ("cache:http", "port"), ("[::1]x", "port"),
            ("redis://cache/first", "database"), ("redis://cache/-1", "database"), ("redis://user@cache", "password"),
            ("redis://a%4:b@cache", "hexadecimal"), ("redis://cache?ca=/a", "rediss://"),
            ("rediss://cache?certificate=/a", "key"), ("rediss://cache?verify=no", "ca, certificate, key and name"),
        ])
    func whatIsNoAddressIsRefusedWithoutBeingQuoted(text: String, reason: String) throws {
        let error = #expect(throws: RedisEndpoint.Malformed.self) { try RedisEndpoint(parsing: text) }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
        #expect(RedisURL(text).problem == error?.reason)
    }

    @Test func aPasswordStandsInNoFile() {
        #expect(RedisURL("redis://user:hunter2@cache").problem?.contains("declare it under secrets") == true)
        #expect(RedisURL("redis://user:hunter2@cache").problem?.contains("hunter2") == false)
        #expect(RedisURL("redis://user:${password}@cache").problem == nil)
        #expect(RedisURL("${url}").problem == nil)
    }

    @Test func aSecretIsFilledInAfterTheAddressIsRead() throws {
        let fixture = try RedisFixture(secrets: ["password": "a@b:c/d?e", "url": "rediss://u:p@cache:1"])
        let secrets = fixture.context.secrets
        let endpoint = try RedisURL("redis://u:${password}@cache").revealed(secrets)
        #expect(endpoint.password == "a@b:c/d?e")
        #expect(endpoint.host == "cache")
        #expect(try RedisURL("${url}").revealed(secrets).port == 1)
    }
}
