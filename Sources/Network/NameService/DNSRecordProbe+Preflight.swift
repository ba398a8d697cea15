internal import Basics
package import Contracts
internal import Experiment

extension DNSRecordProbe {
    private static let patience = Span.seconds(3)

    /// There is a server, it answers, and it knows the name; that nobody listens there may be the experiment's point.
    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            let server = try place()
            let address = try await server.address()
            var findings: [Finding] = []
            if self.server == nil, address.isLoopback {
                findings.append(
                    Finding(
                        .warning,
                        "probe \(name): \(server), which /etc/resolv.conf names, is on this machine and may answer from a cache",
                        advice: "write server: with the name server that has the record (dig +trace \(record))"))
            }
            return findings + (try await ask(server, at: address))
        } catch {
            return [Finding(.error, "probe \(name): \(error.explained)", advice: error.advice)]
        }
    }

    private func ask(_ server: NameServer, at address: AddressRange) async throws(FaultError) -> [Finding] {
        let loop = try Self.loop(of: name)
        defer { loop.stop() }
        let time = SystemTimeSource()
        let client = RecordClient(address, port: server.port, on: loop)
        let advice = "dig @\(server.host) -p \(server.port) \(record) \(type.rawValue)"
        let answer: RecordAnswer
        do throws(NetworkError) {
            answer = try await client.ask(record, type, until: time.now + Self.patience)
        } catch {
            throw FaultError(
                .unreachable, "name server \(server) does not answer", advice: advice, underlying: error)
        }
        guard answer.isResolved else {
            let said = answer.code == .success ? "there is no such record" : "\(answer.code)"
            throw FaultError(
                .notFound, "name server \(server) has no \(type.rawValue) record of \(record): \(said)", advice: advice)
        }
        guard let port, let first = answer.addresses.first else { return [] }
        let connector = RecordConnector(port: port, on: loop)
        guard let failure = await connector.connect(to: first, until: time.now + Self.patience) else { return [] }
        return [
            Finding(
                .warning,
                "probe \(name): \(record) leads to \(first), where port \(port) takes no connection: \(failure)",
                advice: "nc -vz \(first) \(port)")
        ]
    }

    static func loop(of probe: Label) throws(FaultError) -> EventLoop {
        do throws(SystemError) {
            return try EventLoop(name: "squall-record")
        } catch {
            throw FaultError(.unexpected, "probe \(probe) cannot start its thread", underlying: error)
        }
    }
}

extension RecordAnswer {
    /// The values that are addresses, in the server's order.
    var addresses: [AddressRange] { values.compactMap { AddressRange(parsing: $0) } }
}
