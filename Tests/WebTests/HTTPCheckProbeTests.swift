import Basics
import Contracts
import Experiment
import Testing
import Web

@Suite struct HTTPCheckProbeTests {
    @Test(
        arguments: [
            ("/", [:], .ok, ""),
            ("/status/204", [:], .ok, ""),
            ("/status/204", ["status": "200"], .failed, "status-204"),
            ("/status/404", ["status": ["200", "404"]], .ok, ""),
            ("/status/404", ["status": "< 500"], .ok, ""),
            ("/status/500", [:], .failed, "status-500"),
            ("/moved", [:], .failed, "status-302"),
            ("/moved", ["follow-redirects": "true"], .ok, ""),
            ("/slow/5", ["timeout": "1500ms"], .failed, "timeout"),
            ("/reset", [:], .failed, "lost"),
            ("/close", [:], .failed, "lost"),
            ("/half", [:], .failed, "lost"),
            ("/", ["body": "hell"], .ok, ""),
            ("/", ["body": "goodbye"], .failed, "body-lacks-text"),
            ("/", ["body": ["regex": "^h[el]+o$"]], .ok, ""),
            ("/", ["body": ["regex": "^h[el]$"]], .failed, "body-differs"),
            ("/", ["header": ["content-type": "text/plain"]], .ok, ""),
            ("/", ["header": ["Content-Length": "<= 5"]], .ok, ""),
            ("/", ["header": ["Content-Length": "> 5"]], .failed, "header-differs"),
            ("/", ["header": ["X-Missing": "1"]], .failed, "header-missing"),
            ("/json", ["json": ["status": "ok", "$.queue.depth": "< 10", "nodes[-1].id": "b"]], .ok, ""),
            ("/json", ["json": ["queue.age": "<= 20ms"]], .ok, ""),
            ("/json", ["json": ["queue.depth": "> 7"]], .failed, "json-differs"),
            ("/json", ["json": ["queue": "7"]], .failed, "json-differs"),
            ("/json", ["json": ["queue.length": "7"]], .failed, "json-missing"),
            ("/", ["json": ["status": "ok"]], .failed, "json-invalid"),
            ("/big/5000", ["max-body": "4KiB"], .failed, "too-large"),
            ("/", ["method": "HEAD"], .ok, ""),
            // Writes: what was sent and not answered as expected may stand.
            ("/status/201", ["method": "POST"], .ok, ""),
            ("/status/400", ["method": "POST"], .failed, "status-400"),
            ("/status/302", ["method": "PUT"], .failed, "status-302"),
            ("/status/408", ["method": "POST"], .unknown, "status-408"),
            ("/status/500", ["method": "POST"], .unknown, "status-500"),
            ("/status/503", ["method": "DELETE"], .unknown, "status-503"),
            ("/", ["method": "PATCH", "body": "goodbye"], .unknown, "body-lacks-text"),
            ("/slow/5", ["method": "POST", "timeout": "1500ms"], .unknown, "timeout"),
            ("/reset", ["method": "POST"], .unknown, "lost"),
            ("/close", ["method": "POST"], .unknown, "lost"),
        ] as [(String, Value, Outcome, String)])
    func reportsEachOutcomeWithItsReason(path: String, extra: Value, outcome: Outcome, reason: String) async throws {
        guard case .map(let members) = extra else { return }
        let server = try await PythonServer()
        // The time limit must not decide on a machine that is busy with other tests; what it does has cases of its own.
        let limit: [(String, Value)] = members.contains { $0.0 == "timeout" } ? [] : [("timeout", "30s")]
        let record = try await observe([("url", .text(server.address + path)), ("rate", "50/s")] + members + limit)
        let operation = try #require(record.operations.first)
        #expect(operation.outcome == outcome)
        #expect(operation.reason.text == reason)
        let isRead = !members.contains { $0.0 == "method" } || members.contains { "\($0.1)".contains("HEAD") }
        #expect(operation.action == (isRead ? .read : .write))
        let sent = try #require(operation.sent)
        #expect(operation.due <= sent && sent <= operation.end)
    }

    @Test(arguments: ["GET", "POST"])
    func aRefusedConnectionHasFailedWhateverTheMethod(method: String) async throws {
        let port = try await PythonServer().port
        let record = try await observe([
            ("url", .text("http://127.0.0.1:\(port)/")), ("rate", "50/s"), ("method", .text(method)),
        ])
        let operation = try #require(record.operations.first)
        #expect(operation.outcome == .failed)
        #expect(operation.reason == "refused")
    }

    @Test func slowAnswersDelayNoArrivalAndLatencyCountsFromTheDueTime() async throws {
        let server = try await PythonServer()
        let record = try await observe(
            [("url", .text(server.address + "/slow/0.3")), ("rate", "100/s"), ("timeout", "30s")], count: 60)
        let operations = record.operations
        #expect(operations.count >= 60)
        #expect(operations.map(\.sequence) == (0..<Int64(operations.count)).map(\.self))
        let gaps = zip(operations, operations.dropFirst()).map { $1.due - $0.due }
        #expect(gaps.allSatisfy { $0 == .milliseconds(10) })
        #expect(operations.filter { $0.outcome != .ok || $0.latency < .milliseconds(300) } == [])
    }

    @Test func whatIsInFlightAtTheEndIsWaitedFor() async throws {
        let server = try await PythonServer()
        let record = try await observe(
            [("url", .text(server.address + "/slow/0.4")), ("rate", "20/s"), ("timeout", "30s")], count: 1)
        #expect(record.operations.count >= 5)
        #expect(record.operations.filter { $0.outcome != .ok } == [])
    }

    @Test func keptAndFreshConnectionsAreTwoPathsThatTakeTurns() async throws {
        let server = try await PythonServer()
        let record = try await observe(
            [
                ("url", .text(server.address + "/")), ("rate", "50/s"), ("connections", "both"),
                ("node-header", "X-Connection"), ("timeout", "30s"),
            ], count: 20)
        let operations = record.operations
        #expect(operations.allSatisfy { $0.outcome == .ok })
        #expect(operations.allSatisfy { ($0.path == "kept") == $0.sequence.isMultiple(of: 2) })
        let fresh = operations.filter { $0.path == "fresh" }.map(\.node)
        let kept = operations.filter { $0.path == "kept" }.map(\.node)
        #expect(Set(fresh).count == fresh.count)
        #expect(Set(kept).count < kept.count)
        #expect(Set(fresh).isDisjoint(with: kept))
    }

    @Test func secretsReachTheServerAndNothingElse() async throws {
        let server = try await PythonServer()
        let record = try await observe(
            [
                ("url", .text(server.address + "/echo/${token}")), ("rate", "50/s"), ("method", "POST"),
                ("headers", ["Authorization": "Bearer ${token}"]), ("request-body", "key=${token}"),
                ("body", "POST s3cret-value Bearer s3cret-value key=s3cret-value"),
            ], secrets: ["token": "s3cret-value"])
        #expect(record.operations.first?.outcome == .ok)
        #expect(!"\(record.all)".contains("s3cret-value"))
    }

    @Test func aCertificateThatNobodyVouchesForIsAFailureUntilTheFileTrustsIt() async throws {
        let server = try await PythonServer(isSecure: true)
        let url: (String, Value) = ("url", .text(server.address + "/"))
        let stranger = try await observe([url]).operations.first
        #expect(stranger?.outcome == .failed)
        #expect(stranger?.reason == "tls")
        let trusted = try await observe([url, ("tls", ["ca": .text(server.certificate)])]).operations.first
        #expect(trusted?.outcome == .ok)
        let careless = try await observe([url, ("tls", ["verify": "false"])]).operations.first
        #expect(careless?.outcome == .ok)
    }

    @Test func namesTheNodeThatAnswered() async throws {
        let server = try await PythonServer()
        let record = try await observe([("url", .text(server.address + "/")), ("node-header", "x-node")])
        #expect(record.operations.first?.node == "node-1")
    }

    @Test func preflightWarnsOfSilenceAndRefusesWhatCannotBeSent() async throws {
        let server = try await PythonServer()
        let context = makeContext(Record())
        let good = try makeProbe([("url", .text(server.address + "/status/500"))])
        #expect(await good.preflight(in: context).isEmpty)
        let port = try await PythonServer().port
        let silent = try makeProbe([("url", .text("http://127.0.0.1:\(port)/"))])
        #expect(await silent.preflight(in: context).map(\.severity) == [.warning])
        let broken = try makeProbe([("url", "http://bad host/")])
        #expect(await broken.preflight(in: context).map(\.severity) == [.error])
    }

    @Test(
        arguments: [
            ([:], "missing 'url'"), (["url": "ftp://x/"], "no http:// or https://"),
            (["url": "x"], "no http:// or https://"),
            (["url": "http://x/", "rate": "20"], "expected a rate"),
            (["url": "http://x/", "status": "700"], "an HTTP status"),
            (["url": "http://x/", "status": []], "'status' lists nothing"),
            (["url": "http://x/", "json": ["a..b": "1"]], "'a..b' is no JSON path"),
            (["url": "http://x/", "body": ["regex": "("]], "no POSIX extended regular expression"),
            (["url": "http://x/", "method": "get"], "not one of GET"),
            (["url": "http://x/", "timeout": "0s"], "at least 1ms"),
            (["url": "http://x/", "method": "HEAD", "body": "x"], "HEAD has no body"),
            (["url": "http://x/", "tls": ["verfy": "false"]], "unknown key 'verfy'"),
        ] as [(Value, String)])
    func refusesParametersThatCannotWork(parameters: Value, message: String) {
        guard case .map(let members) = parameters else { return }
        let refused = #expect(throws: Refused.self) { try makeProbe(members) }
        #expect(refused?.messages.contains { $0.contains(message) } == true, "\(refused?.messages ?? [])")
    }
}
