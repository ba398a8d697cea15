package import Basics
package import Contracts
internal import Docker
package import Experiment

/// Opens TCP connections at a fixed rate, from this machine or from inside a container, and reports every one.
package struct TCPConnectProbe: Probe {
    package static let kind = "tcp.connect"
    package static let emits: Set<ObservationKind> = [.operations]

    private static let to = Parameter<String>.required(
        "to", .text, "an address, or the name of a container, whose address is looked up")
    private static let port = Parameter<Int>.required("port", .integer(1...65_535), "the port to connect to")
    private static let from = Parameter<String?>.optional(
        "from", .text, "connect from inside this container (name or id) instead of from this machine")
    private static let rate = Parameter<Rate>.defaulted(
        "rate", .rate, to: Rate(perSecond: 10), written: "10/s", "connections per second, whatever becomes of them")
    private static let timeout = Parameter<Span>.defaulted(
        "timeout", .span, to: .seconds(1), written: "1s", "how long one handshake may take")
    private static let version = Parameter<EchoSettings.Version>.defaulted(
        "version", .choice(.any), to: .any, written: "any",
        "which address of a container: any (the first), ipv4 or ipv6")
    package static let parameters: [any AnyParameter] = [to, port, from, rate, timeout, version]

    /// Each connection from a container enters its namespace anew; more would measure that.
    private static let highestRate = Rate(perSecond: 1_000)

    package let name: Label
    let to: String
    let port: UInt16
    let from: String?
    let rate: Rate
    let timeout: Span
    let version: EchoSettings.Version

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        to = reader.value(Self.to)
        port = UInt16(clamping: reader.value(Self.port))
        from = reader.value(Self.from)
        rate = reader.value(Self.rate)
        timeout = reader.value(Self.timeout)
        version = reader.value(Self.version)
        if timeout < .milliseconds(1) || timeout > .minutes(1) {
            reader.diagnostics.error("a timeout is from 1ms to 1m", at: reader.location(of: Self.timeout.key))
        }
        if rate > Self.highestRate {
            reader.diagnostics.error("at most \(Self.highestRate)", at: reader.location(of: Self.rate.key))
        }
        if to.contains("/") || to.contains("%") || (to.contains(":") && address == nil) {
            reader.diagnostics.error(
                "'\(to)' is neither an address nor a container's name", at: reader.location(of: Self.to.key),
                notes: ["write the port as port:, and no block or zone"])
        }
    }

    /// nil when `to` is a container's name.
    var address: AddressRange? { AddressRange(parsing: to).flatMap { $0.isSingle ? $0 : nil } }

    package func preflight(in context: SystemContext) async -> [Finding] {
        do throws(FaultError) {
            _ = try await ends(in: context)
            return []
        } catch {
            return [Finding(.error, "probe '\(name)': \(error.message)", advice: error.advice)]
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        try await TCPConnectSession(self, in: context.system)
    }

    /// Where connections begin and end as things are now.
    func ends(in context: SystemContext) async throws(FaultError) -> TCPConnector.Ends {
        var source: NamespaceMember?
        if let from { source = try await member(from, in: context) }
        if let address { return .init(from: source, to: address) }
        let member = try await member(to, in: context)
        guard let address = member.addresses.first(where: { version.families.contains($0.family) && !$0.isLinkLocal })
        else { throw FaultError(.notApplicable, "container \(to) has no address of version \(version.rawValue)") }
        return .init(from: source, to: address)
    }

    private func member(_ container: String, in context: SystemContext) async throws(FaultError) -> NamespaceMember {
        let engine = try context.services.require((any ContainerEngine).self)
        let id = try await engine.inspect(container).id
        return try await NamespaceMember(name: container, container: id, for: Self.kind, in: context)
    }

    package static let manual = Manual(
        summary: "Opens TCP connections at a fixed rate and measures their handshakes",
        details: """
            Connection k is due at t0 + k/rate, whatever became of those before it. With `from` it is made from inside that
            container's network namespace, by a socket of squall's: what its programs would see, with nothing running in the
            container. `to` is an address, or a container's name; its address is looked up again every second, so that a
            container that comes back with another one is found.

            ok: the handshake was completed within `timeout`; the connection is closed at once, and nothing is sent on it.
            failed: refused, reset, unreachable, prohibited or timeout, by its reason; also when the container of `from` is not
            there (absent, never sent). unknown: no socket could be opened on this machine. Latency counts from when the connection
            was due.

            `from` and names of containers need root and containers on this machine.
            """,
        example: """
            probes:
              pool: {type: tcp.connect, to: 127.0.0.1, port: 5000, rate: 20/s, timeout: 500ms}
              inside: {type: tcp.connect, from: web-1, to: db-1, port: 5432, rate: 10/s}
            """)
}
