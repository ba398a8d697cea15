internal import CPostgres
internal import Glibc

/// One `PGconn`, created and destroyed here and nowhere else. Used by one thread at a time: its connection's loop.
final class SessionHandle {
    /// What the server remarked since the last statement began; filled by the notice receiver.
    final class Notices {
        var all: [QueryResult.Notice] = []
    }

    let connection: OpaquePointer
    let notices = Notices()

    /// Starts a connection attempt without waiting for it; nil when memory is short.
    ///
    /// Host names must be resolved before: libpq would look them up synchronously.
    init?(starting parameters: [String: String]) {
        let entries = parameters.sorted { $0.key < $1.key }
        var keywords: [UnsafePointer<CChar>?] = entries.map { UnsafePointer(strdup($0.key)) }
        var values: [UnsafePointer<CChar>?] = entries.map { UnsafePointer(strdup($0.value)) }
        defer { for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) } }
        keywords.append(nil)
        values.append(nil)
        guard let connection = PQconnectStartParams(keywords, values, 0) else { return nil }
        self.connection = connection
        // A failed start-up has no result to ask for its SQLSTATE; the verbose message carries it at a fixed place.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        // The receiver lives exactly as long as the connection, which this object owns.
        PQsetNoticeReceiver(connection, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit {
        PQfinish(connection)
    }

    var isBad: Bool { PQstatus(connection) == CONNECTION_BAD }
    var socket: CInt { PQsocket(connection) }
    var message: String { PQerrorMessage(connection).map { String(cString: $0) } ?? "" }

    /// Moves the connection attempt forward as far as it goes without waiting.
    func poll() -> PostgresPollingStatusType { PQconnectPoll(connection) }

    func makeNonBlocking() -> Bool { PQsetnonblocking(connection, 1) == 0 }

    func send(_ sql: String, _ parameters: [String?]) -> Bool {
        let values: [UnsafePointer<CChar>?] = parameters.map { $0.map { UnsafePointer(strdup($0)) } ?? nil }
        defer { for value in values { free(UnsafeMutablePointer(mutating: value)) } }
        return PQsendQueryParams(connection, sql, CInt(values.count), nil, values, nil, nil, 0) == 1
    }

    /// Several statements in one text, as one transaction; no parameters.
    func send(script: String) -> Bool { PQsendQuery(connection, script) == 1 }

    /// 0: all is sent, 1: the socket is full, -1: failed.
    func flush() -> CInt { PQflush(connection) }
    func consumeInput() -> Bool { PQconsumeInput(connection) == 1 }
    var isBusy: Bool { PQisBusy(connection) == 1 }

    /// What a cancel request needs; the caller owns it. nil when the connection is no more.
    func cancelToken() -> OpaquePointer? { PQgetCancel(connection) }

    enum Answer {
        case result(QueryResult)
        case failure(sqlState: String, severity: String, message: String)
    }

    /// The next result; nil: the statement is over and the server is ready for the next. Must not be called while busy.
    func nextAnswer() -> Answer? {
        guard let result = PQgetResult(connection) else { return nil }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
            return .result(read(result))
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            return .failure(sqlState: "0A000", severity: "FATAL", message: "COPY is not supported here")
        default:
            // Every other status is an error; without an SQLSTATE it was raised by libpq itself (a broken connection).
            let text = field(result, squall_pg_field_message())
            return .failure(
                sqlState: field(result, squall_pg_field_sqlstate()),
                severity: field(result, squall_pg_field_severity()),
                message: text.isEmpty ? firstLine(PQresultErrorMessage(result)) : text)
        }
    }

    private func read(_ result: OpaquePointer) -> QueryResult {
        let columns = 0..<PQnfields(result)
        let rows = (0..<PQntuples(result)).map { row in
            columns.map { column -> String? in
                if PQgetisnull(result, row, column) == 1 { return nil }
                return PQgetvalue(result, row, column).map { String(cString: $0) }
            }
        }
        return QueryResult(
            columns: columns.map { PQfname(result, $0).map { String(cString: $0) } ?? "" }, rows: rows,
            commandTag: PQcmdStatus(result).map { String(cString: $0) } ?? "")
    }
}

private func field(_ result: OpaquePointer?, _ code: CInt) -> String {
    PQresultErrorField(result, code).map { String(cString: $0) } ?? ""
}

private func firstLine(_ text: UnsafeMutablePointer<CChar>?) -> String {
    text.map { String(String(cString: $0).prefix { $0 != "\n" }) } ?? ""
}

/// libpq calls this on the loop's thread, inside `consumeInput`, `nextAnswer` or `poll`.
private func receiveNotice(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let context else { return }
    let notice = QueryResult.Notice(
        severity: field(result, squall_pg_field_severity()), sqlState: field(result, squall_pg_field_sqlstate()),
        message: field(result, squall_pg_field_message()))
    Unmanaged<SessionHandle.Notices>.fromOpaque(context).takeUnretainedValue().all.append(notice)
}
