import Basics
import Contracts
import PostgresSupport
import Testing

@testable import Postgres

/// The rules that decide what a client may conclude from a write: measurement section 1.1, one line each.
@Suite struct OutcomeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var evidence: WriteEvidence
        var outcome: Outcome
        var reason: String
        var testDescription: String { name }
    }

    static func server(
        _ sqlState: String, _ severity: String = "ERROR", phase: PostgresError.Phase = .statement
    ) -> WriteEvidence {
        .failed(
            PostgresError(
                .server, phase: phase, querySent: phase == .statement, sqlState: sqlState, severity: severity,
                message: "m"))
    }

    static func client(
        _ code: PostgresError.Code, _ phase: PostgresError.Phase, sent: Bool
    ) -> WriteEvidence {
        .failed(PostgresError(code, phase: phase, querySent: sent, message: "m"))
    }

    static func notice(_ severity: String) -> QueryResult.Notice {
        QueryResult.Notice(severity: severity, sqlState: "01000", message: "m")
    }

    static let cases: [Case] = [
        Case(name: "acknowledged", evidence: .acknowledged(notices: []), outcome: .ok, reason: ""),
        Case(
            name: "a notice is no warning", evidence: .acknowledged(notices: [notice("NOTICE")]), outcome: .ok,
            reason: ""),
        Case(
            name: "an acknowledgement with a warning", evidence: .acknowledged(notices: [notice("WARNING")]),
            outcome: .unknown, reason: "warned-ack"),
        Case(name: "no free connection", evidence: .unsent, outcome: .failed, reason: "unsent"),
        Case(name: "refused", evidence: client(.refused, .connect, sent: false), outcome: .failed, reason: "refused"),
        Case(
            name: "no address", evidence: client(.unresolved, .connect, sent: false), outcome: .failed,
            reason: "unresolved"),
        Case(
            name: "no route", evidence: client(.unreachable, .connect, sent: false), outcome: .failed,
            reason: "unreachable"),
        Case(
            name: "connect timed out", evidence: client(.timeout, .connect, sent: false), outcome: .failed,
            reason: "connect-timeout"),
        Case(
            name: "starting up", evidence: server("57P03", "FATAL", phase: .connect), outcome: .failed, reason: "57P03"),
        Case(name: "too many", evidence: server("53300", "FATAL", phase: .connect), outcome: .failed, reason: "53300"),
        Case(name: "password", evidence: server("28P01", "FATAL", phase: .connect), outcome: .failed, reason: "28P01"),
        Case(
            name: "idle connection found broken", evidence: client(.lost, .statement, sent: false), outcome: .failed,
            reason: "lost"),
        Case(name: "timeout", evidence: client(.timeout, .statement, sent: true), outcome: .unknown, reason: "timeout"),
        Case(name: "end of file", evidence: client(.lost, .statement, sent: true), outcome: .unknown, reason: "lost"),
        Case(
            name: "cancelled", evidence: client(.cancelled, .statement, sent: true), outcome: .unknown,
            reason: "cancelled"),
        Case(name: "read only", evidence: server("25006"), outcome: .failed, reason: "25006"),
        Case(name: "serialization", evidence: server("40001"), outcome: .failed, reason: "40001"),
        Case(name: "deadlock", evidence: server("40P01"), outcome: .failed, reason: "40P01"),
        Case(name: "completion unknown", evidence: server("40003"), outcome: .unknown, reason: "40003"),
        Case(name: "no such table", evidence: server("42P01"), outcome: .failed, reason: "42P01"),
        Case(name: "disk full", evidence: server("53100"), outcome: .failed, reason: "53100"),
        Case(name: "disk full, fatally", evidence: server("53100", "PANIC"), outcome: .unknown, reason: "53100"),
        Case(name: "admin shutdown", evidence: server("57P01", "FATAL"), outcome: .unknown, reason: "57P01"),
        Case(name: "crash shutdown", evidence: server("57P02", "FATAL"), outcome: .unknown, reason: "57P02"),
        Case(name: "cancelled by the server", evidence: server("57014"), outcome: .unknown, reason: "57014"),
        Case(name: "a pooler lost its server", evidence: server("08006"), outcome: .unknown, reason: "08006"),
        Case(name: "a pooler's system error", evidence: server("58000"), outcome: .unknown, reason: "58000"),
        Case(name: "internal", evidence: server("XX000"), outcome: .unknown, reason: "XX000"),
        Case(name: "read only, but fatal", evidence: server("25006", "FATAL"), outcome: .unknown, reason: "25006"),
    ]

    @Test(arguments: cases)
    func concludesNoMoreThanTheEvidenceProves(_ example: Case) {
        let judgement = WriteJudgement(example.evidence)
        #expect(judgement.outcome == example.outcome)
        #expect(judgement.reason.text == example.reason)
    }

    @Test(arguments: [
        (
            "connection to server at \"127.0.0.1\", port 5001 failed: FATAL:  57P03: the database system is starting up",
            "57P03", "FATAL", "the database system is starting up"
        ),
        (
            "connection to server failed: FATAL:  28P01: password authentication failed", "28P01", "FATAL",
            "password authentication failed"
        ),
        ("could not receive data from server: Connection reset by peer", "", "", ""),
        ("weird:  12345x: not a class", "", "", ""),
    ])
    func readsTheClassOfAFailedStartUp(line: String, sqlState: String, severity: String, message: String) {
        let error = connectError(line + "\nLOCATION:  somewhere", subject: "s")
        #expect(error.sqlState == sqlState)
        #expect(error.severity == severity)
        #expect(error.code == (sqlState.isEmpty ? .unreachable : .server))
        if !message.isEmpty { #expect(error.message == message) }
        #expect(error.querySent == false)
    }
}
