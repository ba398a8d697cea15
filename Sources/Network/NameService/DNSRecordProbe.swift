package import Basics
package import Contracts
package import Experiment

/// Asks a name server again and again where a name leads, and tries what clients then do with the answer.
package struct DNSRecordProbe: Probe {
    package static let kind = "dns.record"
    package static let emits: Set<ObservationKind> = [.states, .measurements, .operations]
    package static let metrics = ["ttl"]

    private static let nameParameter = Parameter<String>.required(
        "name", .text, "The full name to ask for; no search domain is added.")
    private static let typeParameter = Parameter<RecordKind>.defaulted(
        "type", .choice(.address4), to: .address4, written: "A", "Which record: A, AAAA or CNAME.")
    private static let serverParameter = Parameter<String?>.optional(
        "server", .text, "The name server to ask, HOST or HOST:PORT; without it the first one of /etc/resolv.conf.")
    private static let portParameter = Parameter<Int?>.optional(
        "port", .integer(1...65_535), "Connect to this TCP port of the address, anew with each look and once for good.")
    private static let everyParameter = Parameter<Span>.defaulted(
        "every", .span, to: .seconds(1), written: "1s", "The time from one look to the next.")
    private static let timeoutParameter = Parameter<Span?>.optional(
        "timeout", .span,
        "How long a look may take, answer and connection together; without it four fifths of 'every', at most 2s.")
    package static let parameters: [any AnyParameter] = [
        nameParameter, typeParameter, serverParameter, portParameter, everyParameter, timeoutParameter,
    ]

    package let name: Label
    let record: DomainName
    let type: RecordKind
    let server: NameServer?
    let port: UInt16?
    let every: Span
    let timeout: Span

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        let written = reader.value(Self.nameParameter)
        let parsed = AddressRange(parsing: written) == nil ? DomainName(parsing: written) : nil
        record = parsed ?? .root
        type = reader.value(Self.typeParameter)
        let serverText = reader.value(Self.serverParameter)
        server = serverText.flatMap { NameServer(parsing: $0) }
        port = reader.value(Self.portParameter).map { UInt16(clamping: $0) }
        every = reader.value(Self.everyParameter)
        timeout = reader.value(Self.timeoutParameter) ?? min(every * 4 / 5, .seconds(2))
        if parsed == nil, !written.isEmpty {
            reader.diagnostics.error(
                "'\(written)' is no host name", at: reader.location(of: Self.nameParameter.key),
                notes: ["write it in full, as db.example.com; an international one as it is asked for (xn--…)"])
        }
        if let serverText, server == nil {
            reader.diagnostics.error(
                "'\(serverText)' is no name server", at: reader.location(of: Self.serverParameter.key),
                notes: ["write an address or a host name, with :PORT if it is not 53; [2001:db8::53]:53 for IPv6"])
        }
        if port != nil, !type.isAddress {
            reader.diagnostics.error(
                "a CNAME leads to a name: 'port' needs type A or AAAA", at: reader.location(of: Self.portParameter.key))
        }
        if every < .milliseconds(100) {
            reader.diagnostics.error("'every' must be at least 100ms", at: reader.location(of: Self.everyParameter.key))
        }
        if timeout < .milliseconds(1) || timeout >= every {
            reader.diagnostics.error(
                "a timeout is at least 1ms and shorter than 'every' (\(every)): a look that is late would leave others out",
                at: reader.location(of: Self.timeoutParameter.key))
        }
    }

    /// The server that is asked.
    func place() throws(FaultError) -> NameServer {
        if let server { return server }
        return try NameServer.ofThisMachine()
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        let server = try place()
        return try DNSRecordSession(self, server, at: try await server.address(), context.system)
    }
}
