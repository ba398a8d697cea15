internal import Basics
internal import Contracts
internal import Experiment
internal import Synchronization

/// A ledger at work: paces the writes of all its paths, reads back, and removes its lists.
final class LedgerSession: ProbeSession {
    /// One way to Redis with its pace.
    private struct Lane: Sendable {
        var writer: LedgerWriter
        var route: LedgerRoute
        var rate: Rate
    }

    private let name: Label
    private let settings: LedgerSettings
    private let context: ProbeContext
    private let client: RedisClient
    private let owned: OwnedKeys
    private let mutation: MutationID
    private let names: NodeNames
    /// Of a client that Sentinels tell where to go.
    private let following: SharedConnection?
    private let lanes: [Lane]
    /// One counter for all paths: a sequence names one write of the run.
    private let nextSequence = Atomic<Int64>(1)

    /// Journals the lists before the first of them is made.
    ///
    /// - Parameter pinned: the address of whoever is the primary now; nil in a cluster, which has several.
    static func start(
        _ name: Label, _ settings: LedgerSettings, pinned: RedisURL?, _ client: RedisClient, _ context: ProbeContext
    ) async throws(FaultError) -> LedgerSession {
        let keys = RunKeys(run: context.system.run, probe: name.text)
        let owned = OwnedKeys(keys: keys, primary: settings.primary, nodes: settings.nodes.map(\.value))
        let mutation = try await owned.journal(in: context)
        return LedgerSession(name, settings, pinned, client, context, owned, mutation)
    }

    private init(
        _ name: Label, _ settings: LedgerSettings, _ pinned: RedisURL?, _ client: RedisClient, _ context: ProbeContext,
        _ owned: OwnedKeys, _ mutation: MutationID
    ) {
        self.name = name
        self.settings = settings
        self.context = context
        self.client = client
        self.owned = owned
        self.mutation = mutation
        let (system, names) = (context.system, NodeNames(settings.nodes))
        self.names = names
        func lane(_ path: Label, _ rate: Rate, _ route: LedgerRoute) -> Lane {
            let writer = LedgerWriter(
                client, probe: name, path: path, keys: owned.keys, settings: settings, route: route, context: system)
            return Lane(writer: writer, route: route, rate: rate)
        }
        func fixed(_ path: Label, _ rate: Rate, _ url: RedisURL) -> Lane {
            let shared = SharedConnection(client, time: system.time) { deadline throws(RedisError) in
                let connection = try await client.connect(url, system.secrets, until: deadline, .ignored)
                return SharedConnection.Opened(connection: connection, node: names.name(of: url))
            }
            return lane(path, rate, .server(shared, isFollowing: false))
        }
        let first: Lane
        if settings.primary.cluster.isEmpty {
            let finder = PrimaryFinder(settings.primary, client, system.secrets)
            let shared = SharedConnection(client, time: system.time) { deadline throws(RedisError) in
                let found = try await finder.connect(until: deadline)
                return SharedConnection.Opened(connection: found.connection, node: names.name(of: found.url))
            }
            following = shared
            let path: Label = settings.primary.url == nil ? "sentinel" : "kept"
            first = lane(path, settings.rate, .server(shared, isFollowing: true))
        } else {
            following = nil
            let routes = ClusterRoutes(settings.primary, names, client, system.secrets, system.time)
            first = lane("cluster", settings.rate, .cluster(routes))
        }
        // Under `direct:` because no client that is told of a failover goes this way: it is evidence, no service.
        let stuck = settings.pinnedRate.flatMap { rate in pinned.map { fixed("direct:pinned", rate, $0) } }
        lanes =
            [first] + (stuck.map { [$0] } ?? [])
            + settings.direct.map { fixed(Label("direct:\($0.name)"), settings.directRate, $0.value) }
    }

    /// On the connections' thread: at thousands of writes a second, threads that wake each other would be most of the cost.
    func run() async { await withTaskExecutorPreference(client.loop.tasks) { await write() } }

    private func write() async {
        let start = context.system.time.now
        await withDiscardingTaskGroup { group in
            for (index, lane) in lanes.enumerated() {
                // Lanes are spread over the interval, so that they do not wake all at once.
                let offset = lane.rate.interval * Int64(index) / Int64(lanes.count)
                group.addTask { await self.pace(lane, OpenLoop(start: start + offset, rate: lane.rate)) }
            }
            for sentinel in settings.primary.sentinels {
                group.addTask { await self.follow(sentinel) }
            }
        }
        for lane in lanes { await lane.route.close() }
    }

    /// Hands each arrival over; after cancellation waits for the writes that are under way.
    private func pace(_ lane: Lane, _ loop: OpenLoop) async {
        await withDiscardingTaskGroup { group in
            await loop.run(
                time: client.loop.clock, onStall: { context.system.record(.stall($0)) },
                { arrival in
                    let sequence = nextSequence.wrappingAdd(1, ordering: .relaxed).oldValue
                    group.addTask { await lane.writer.write(sequence, due: arrival.due) }
                })
        }
    }

    /// A client that a Sentinel tells of another primary leaves the old one at once.
    private func follow(_ sentinel: RedisURL) async {
        let (primary, following, names) = (settings.primary, following, names)
        let watch = SentinelEvents(sentinel, client, context.system)
        await watch.run(["+switch-master"]) { event in
            // `cache 10.0.0.1 6379 10.0.0.2 6379`: from where to where.
            let words = event.text.split(separator: " ").map { RedisValue.status(String($0)) }
            guard words.first?.text == primary.master, let old = announcedAddress(Array(words.dropFirst())) else {
                return
            }
            await following?.leave(names.name(of: primary.reach(old)))
        } isLost: { _ in
        }
    }

    private var reader: LedgerReader {
        LedgerReader(
            name: name, settings: settings, keys: owned.keys, names: names, client: client, context: context.system)
    }

    func snapshot() async { await reader.readNodes(.evidence) }

    func collect() async { await reader.readAll() }

    func close() async throws(FaultError) {
        try await owned.close(mutation, of: name, in: context)
    }
}
