internal import Basics
internal import Contracts
internal import Experiment

/// The connections of a client of a Redis Cluster: one per node, and the map of slots that leads to them.
actor ClusterRoutes {
    private nonisolated let client: RedisClient
    private let location: PrimaryLocation
    private let names: NodeNames
    private let secrets: SecretStore
    private let time: any TimeSource
    private var map: SlotMap?
    private var isRefreshing = false
    private var refreshWaiters: [CheckedContinuation<Void, Never>] = []
    private var refreshedAt: Instant?
    private var failure: (error: RedisError, at: Instant)?
    /// By announced address.
    private var connections: [String: SharedConnection] = [:]

    nonisolated var unownedExecutor: UnownedSerialExecutor { client.loop.asUnownedSerialExecutor() }

    /// Asking for the map again and again would be a load of its own while nobody knows better.
    private static let pause = Span.milliseconds(50)

    init(
        _ location: PrimaryLocation, _ names: NodeNames, _ client: RedisClient, _ secrets: SecretStore,
        _ time: any TimeSource
    ) {
        self.location = location
        self.names = names
        self.client = client
        self.secrets = secrets
        self.time = time
    }

    /// A connection to the key's owner. Errors are of the phase `connect`.
    func opened(for key: String, until deadline: Instant) async throws(RedisError) -> SharedConnection.Opened {
        if map == nil { try await refresh(until: deadline) }
        guard let owner = map?.owner(of: key) else {
            map = nil
            throw RedisError(
                .server, phase: .connect, word: "NO-OWNER", message: "nobody owns slot \(SlotMap.slot(of: key))")
        }
        do throws(RedisError) {
            return try await connection(to: owner).opened(until: deadline)
        } catch {
            // The owner cannot be reached: another one may own the slot by now.
            forget()
            throw error
        }
    }

    func opened(at address: String, until deadline: Instant) async throws(RedisError) -> SharedConnection.Opened {
        try await connection(to: address).opened(until: deadline)
    }

    /// A node has said that it does not own the slot.
    func learn(_ redirection: Redirection) {
        if redirection.isMoved { map?.move(redirection.slot, to: redirection.address) }
        forget()
    }

    /// The next caller asks for the map, at most so often.
    func forget() {
        if let refreshedAt, time.now - refreshedAt < Self.pause { return }
        map = nil
    }

    func close() async {
        for connection in connections.values { await connection.close() }
        connections = [:]
    }

    private func connection(to address: String) -> SharedConnection {
        if let connection = connections[address] { return connection }
        let url = location.reach(address)
        let (client, secrets, node) = (client, secrets, names.name(of: url))
        let connection = SharedConnection(client, time: time) { deadline throws(RedisError) in
            SharedConnection.Opened(
                connection: try await client.connect(url, secrets, until: deadline, .ignored), node: node)
        }
        connections[address] = connection
        return connection
    }

    /// One caller asks and the others wait for it: it came first, so its time is up before theirs.
    private func refresh(until deadline: Instant) async throws(RedisError) {
        if isRefreshing {
            await withCheckedContinuation { refreshWaiters.append($0) }
            if map != nil { return }
            throw RedisError(.unreachable, phase: .connect, message: "no node has said who owns what")
        }
        if let failure, time.now - failure.at < Self.pause {
            var error = failure.error
            error.endedAt = time.now
            throw error
        }
        isRefreshing = true
        defer {
            isRefreshing = false
            for waiter in refreshWaiters { waiter.resume() }
            refreshWaiters = []
        }
        do throws(RedisError) {
            let fresh = try await ClusterReader(location, client, secrets).map(until: deadline)
            (map, refreshedAt, failure) = (fresh, time.now, nil)
        } catch {
            failure = (error, time.now)
            throw error
        }
    }
}

/// Asks the nodes of a cluster who owns what.
struct ClusterReader: Sendable {
    private let location: PrimaryLocation
    private let client: RedisClient
    private let secrets: SecretStore

    init(_ location: PrimaryLocation, _ client: RedisClient, _ secrets: SecretStore) {
        self.location = location
        self.client = client
        self.secrets = secrets
    }

    /// The map of the first node that answers with one; all are asked at once. Errors are of the phase `connect`.
    func map(until deadline: Instant) async throws(RedisError) -> SlotMap {
        let answers = await withTaskGroup(of: Result<SlotMap, RedisError>.self) { group in
            for seed in location.cluster { group.addTask { await ask(seed, until: deadline) } }
            var answers: [Result<SlotMap, RedisError>] = []
            for await answer in group {
                answers.append(answer)
                if case .success = answer { group.cancelAll() }
            }
            return answers
        }
        var failure: RedisError?
        for answer in answers {
            switch answer {
            case .success(let map): return map
            // What a node says of its cluster says more than that another one is not there.
            case .failure(let error): failure = error.code == .server ? error : failure ?? error
            }
        }
        throw failure ?? RedisError(.unreachable, phase: .connect, message: "there is no node to ask")
    }

    private func ask(_ seed: RedisURL, until deadline: Instant) async -> Result<SlotMap, RedisError> {
        do throws(RedisError) {
            let questions = [["CLUSTER", "INFO"], ["CLUSTER", "SLOTS"]]
            let (values, connection) = try await client.ask(questions, of: seed, secrets, until: deadline)
            return .success(try Self.read(values, connection))
        } catch {
            return .failure(error)
        }
    }

    /// A node that knows that it is cut off from the majority is no guide.
    private static func read(
        _ answers: [RedisValue], _ connection: RedisConnection
    ) throws(RedisError) -> SlotMap {
        let subject = connection.subject
        if case .error(let text) = answers.first { throw RedisError(answer: text, phase: .connect, subject: subject) }
        let state = infoField("cluster_state", in: answers.first?.text ?? "")
        guard answers.count == 2, let map = SlotMap(answers[1], asked: connection.host) else {
            throw RedisError(
                .server, phase: .connect, word: "NO-CLUSTER", message: "it is no node of a cluster", subject: subject)
        }
        guard state == "ok" else {
            throw RedisError(
                .server, phase: .connect, word: "CLUSTERDOWN", message: "its cluster is down", subject: subject)
        }
        return map
    }
}
