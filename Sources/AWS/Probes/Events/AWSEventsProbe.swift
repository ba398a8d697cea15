package import Basics
package import Contracts
package import Experiment

/// Puts what RDS and ElastiCache announce on the run's timeline.
package struct AWSEventsProbe: Probe {
    /// Whose events there are.
    enum EventService: String, Sendable, Hashable, CaseIterable {
        case rds
        case elasticache

        var service: AWSService {
            switch self {
            case .rds: .rds
            case .elasticache: .elasticache
            }
        }
    }

    package static let kind = "aws.events"
    package static let emits: Set<ObservationKind> = [.measurements]
    package static let metrics = ["events"]

    // Events belong where their dates say, however late they are read.
    private static let form = AWSPolling.Form(every: .seconds(2), written: "2s", slowest: .minutes(1))
    private static let sourcesParameter = Parameter<[String]>.defaulted(
        "sources", .list(.text), to: [], written: "[]",
        "Identifiers of clusters, instances, replication groups and cache clusters; without them, of everything.")
    private static let servicesParameter = Parameter<[EventService]>.defaulted(
        "services", .list(.choice(.rds)), to: EventService.allCases, written: "[rds, elasticache]",
        "Which services are asked: rds, elasticache.")
    package static let parameters: [any AnyParameter] = [sourcesParameter, servicesParameter] + form.parameters

    package let name: Label
    let sources: Set<String>
    let services: [EventService]
    let polling: AWSPolling

    package init(name: Label, from reader: inout ParameterReader) {
        self.name = name
        let written = reader.value(Self.sourcesParameter)
        sources = Set(written.map { ResourceName($0).id })
        let chosen = Set(reader.value(Self.servicesParameter))
        services = EventService.allCases.filter { chosen.contains($0) }
        polling = AWSPolling(Self.form, from: &reader)
        if services.isEmpty {
            reader.diagnostics.error(
                "no service is listed", at: reader.location(of: Self.servicesParameter.key),
                notes: ["write rds, elasticache or both"])
        }
        if Set(written.compactMap { ARN($0)?.region }).count > 1 {
            reader.diagnostics.error(
                "the sources are of several regions", at: reader.location(of: Self.sourcesParameter.key),
                notes: ["one probe asks one region"])
        }
    }

    /// Each service answers, and every source is something that it has.
    package func preflight(in context: SystemContext) async -> [Finding] {
        await polling.preflight(name, in: context) { access throws(FaultError) in
            for service in services { _ = try await access.events(service.service, since: context.time.wallClock) }
            guard !sources.isEmpty else { return [] }
            var known: Set<String> = []
            for service in services { known.formUnion(try await Self.names(service, access)) }
            return Self.unknown(sources, known: known, region: access.region, probe: name)
        }
    }

    private static func names(_ service: EventService, _ access: AWSAccess) async throws(FaultError) -> [String] {
        switch service {
        case .rds: return try await access.clusters().map(\.id) + access.databaseInstances().map(\.id)
        case .elasticache:
            let groups = try await access.replicationGroups()
            return groups.map(\.id) + groups.flatMap(\.shards).flatMap(\.nodes).map(\.cluster)
        }
    }

    static func unknown(_ sources: Set<String>, known: Set<String>, region: String, probe: Label) -> [Finding] {
        let known = Set(known.map { $0.lowercased() })
        return sources.subtracting(known).sorted().map { source in
            Finding(
                .error, "probe \(probe): nothing in \(region) is called \(source), so no event of it would ever come",
                advice: "aws rds describe-events --region \(region) --duration 1440; or leave sources out")
        }
    }

    package func start(in context: ProbeContext) async throws(FaultError) -> any ProbeSession {
        AWSEventsSession(self, try await polling.access(in: context.system), context.system)
    }

    package static let manual = Manual(
        summary: "Puts the events of RDS and ElastiCache on the timeline: the control plane's account of a failover.",
        details: """
            DescribeEvents is asked again and again, and once more after the run has settled. Each event becomes a note \
            once, at the instant of the run that its date stands for, with its source: "Started cross AZ failover to DB \
            instance: orders-2" beside what clients saw then. `events` counts them.

            Dates are AWS's clock against this machine's: they are as right as the two agree. An event may be listed \
            minutes after its date, and events say nothing of when clients could work again. They have no identifiers; two \
            with the same source, date and message are taken for one. An instance's events are its own, not its \
            cluster's: name both, or leave `sources` out and see everything in the region.

            Standalone cache clusters, snapshots, proxies and parameter groups cannot be named in `sources`; without it \
            their events are shown too. It takes rds:DescribeEvents and elasticache:DescribeEvents, and with `sources` \
            the rights to list these resources; `services` leaves one service out.
            """,
        example: """
            control-plane: {type: aws.events, sources: [orders, orders-1, orders-2], services: [rds], region: us-east-1}
            """)
}
