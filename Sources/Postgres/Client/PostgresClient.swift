package import Basics
package import Contracts

/// Opens connections to PostgreSQL servers; all of them share one thread.
///
/// libpq does the protocol (TLS, SCRAM, `.pgpass`); this client does the waiting, the deadlines and the choice among
/// several hosts, which libpq leaves without a timeout per host when it does not block.
package final class PostgresClient: Sendable {
    /// The executor of every connection; an actor that uses many of them may name it as its own and spare thread hops.
    package let loop: EventLoop
    private let names: HostLookup
    private let cancels = CancelSender()
    private let time: any TimeSource

    package init(time: any TimeSource = SystemTimeSource()) throws(SystemError) {
        loop = try EventLoop(name: "postgres")
        names = HostLookup(loop: loop)
        self.time = time
    }

    /// Reveals the string's secrets and connects to the first host that takes the session.
    package func connect(
        _ dsn: DSN, _ secrets: SecretStore, until deadline: Instant,
        _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> PostgresConnection {
        try await connect(try dsn.revealed(secrets), until: deadline, cancellation)
    }

    /// Tries the hosts in order, each for at most its `connect_timeout`.
    ///
    /// A host that cannot be reached, is starting up (57P03) or offers the wrong kind of session sends us to the next;
    /// any other answer of a server (a wrong password, an unknown database) ends the search, as it does in libpq.
    package func connect(
        _ parameters: ConnectionParameters, until deadline: Instant,
        _ cancellation: Cancellation = .heeded
    ) async throws(PostgresError) -> PostgresConnection {
        var failure = PostgresError(.unreachable, phase: .connect, message: "no host to connect to")
        for session in parameters.sessionPasses {
            for endpoint in try parameters.endpoints() {
                let limit = parameters.secondsPerEndpoint.map { min(deadline, time.now + .seconds($0)) } ?? deadline
                do throws(PostgresError) {
                    for place in try await places(endpoint, until: limit) {
                        do throws(PostgresError) {
                            return try await open(parameters, place, session, until: limit, cancellation)
                        } catch {
                            failure = error
                            if error.endsSearch { throw error }
                        }
                    }
                } catch {
                    failure = error
                    if error.endsSearch { throw error }
                }
            }
        }
        throw failure
    }

    private func open(
        _ parameters: ConnectionParameters, _ place: ConnectionParameters.Endpoint, _ session: String,
        until limit: Instant, _ cancellation: Cancellation
    ) async throws(PostgresError) -> PostgresConnection {
        let connection = PostgresConnection(subject: place.description, loop: loop, cancels: cancels, time: time)
        try await connection.open(parameters.attempt(at: place, session: session), until: limit, cancellation)
        return connection
    }

    /// The same endpoint with each of its addresses.
    private func places(
        _ endpoint: ConnectionParameters.Endpoint, until limit: Instant
    ) async throws(PostgresError) -> [ConnectionParameters.Endpoint] {
        guard endpoint.needsLookup, let host = endpoint.host else { return [endpoint] }
        let addresses: [String]
        do throws(HostLookupError) {
            addresses = try await names.addresses(of: host, until: limit)
        } catch {
            throw PostgresError(
                error.code == .timeout ? .timeout : .unresolved, phase: .connect, message: error.message,
                subject: error.host)
        }
        return addresses.map { address in
            var place = endpoint
            place.address = address
            return place
        }
    }
}

extension PostgresError {
    /// libpq's rule: after an answer of the server only "cannot connect now" (57P03) leads to the next host.
    fileprivate var endsSearch: Bool {
        switch code {
        case .server: sqlState != "57P03"
        case .cancelled, .invalidDSN: true
        case .unresolved, .refused, .unreachable, .lost, .timeout, .unusable: false
        }
    }
}
