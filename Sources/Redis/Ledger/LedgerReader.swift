internal import Basics
internal import Contracts
internal import Experiment

/// Reads what each node holds of a ledger, and which of them clients reach.
struct LedgerReader: Sendable {
    /// What one server holds.
    private struct Content: Sendable {
        var present: [ClosedRange<Int64>]
        var duplicated: [Int64]
        var at: Instant
    }

    /// Evidence is read while a heal waits for it; the final reads may wait for a node that just came back.
    private static let evidencePatience = Span.seconds(5)
    private static let finalPatience = Span.seconds(10)
    /// What is lost cannot be said without the primary, so it is given longer.
    private static let authorityPatience = Span.seconds(30)
    /// One attempt.
    private static let attempt = Span.seconds(10)

    let name: Label
    let settings: LedgerSettings
    let keys: RunKeys
    let names: NodeNames
    let client: RedisClient
    let context: SystemContext

    /// The content of every declared node, side by side; a node that cannot be read is reported as such.
    func readNodes(_ stage: ReadBack.Stage, except authority: Label? = nil) async {
        let patience = stage == .evidence ? Self.evidencePatience : Self.finalPatience
        let deadline = context.time.now + patience
        await withDiscardingTaskGroup { group in
            for node in settings.nodes where Label(node.name) != authority {
                group.addTask {
                    let content = await repeatedly(until: deadline) { deadline throws(RedisError) in
                        let connection = try await client.connect(node.value, context.secrets, until: deadline)
                        let read = try await read(connection, deadline)
                        return Self.content(read.sequences, at: context.time.now)
                    }
                    report(Label(node.name), stage, isAuthoritative: false, content)
                }
            }
        }
    }

    /// The authoritative content of whoever clients reach, and beside it that of every other node.
    func readAll() async {
        let deadline = context.time.now + Self.authorityPatience
        let answer = await repeatedly(until: deadline) { deadline throws(RedisError) -> (Label, Content) in
            try await settings.primary.cluster.isEmpty ? readPrimary(deadline) : readCluster(deadline)
        }
        switch answer {
        case .success(let (node, content)):
            report(node, .final, isAuthoritative: true, .success(content))
            await readNodes(.final, except: node)
        case .failure(let error):
            report("primary", .final, isAuthoritative: true, .failure(error))
            await readNodes(.final)
        }
    }

    private func readPrimary(_ deadline: Instant) async throws(RedisError) -> (Label, Content) {
        let found = try await PrimaryFinder(settings.primary, client, context.secrets).connect(until: deadline)
        let read = try await read(found.connection, deadline)
        return (names.name(of: found.url), Self.content(read.sequences, at: context.time.now))
    }

    /// All owners together; each list must have been read from one of them.
    private func readCluster(_ deadline: Instant) async throws(RedisError) -> (Label, Content) {
        let map = try await ClusterReader(settings.primary, client, context.secrets).map(until: deadline)
        var (sequences, lists) = ([Int64](), 0)
        for owner in map.allOwners {
            let url = settings.primary.reach(owner)
            let read = try await read(try await client.connect(url, context.secrets, until: deadline), deadline)
            sequences += read.sequences
            lists += read.lists
        }
        guard lists == keys.count else {
            throw RedisError(
                .lost, phase: .command, message: "only \(lists) of \(keys.count) lists have an owner that answers")
        }
        return ("cluster", Self.content(sequences, at: context.time.now))
    }

    private func report(
        _ node: Label, _ stage: ReadBack.Stage, isAuthoritative: Bool, _ content: Result<Content, RedisError>
    ) {
        var readBack = ReadBack(
            probe: name, node: node, stage: stage, at: context.time.now, isAuthoritative: isAuthoritative, present: [])
        switch content {
        case .success(let content):
            readBack.at = content.at
            readBack.present = content.present
            readBack.duplicated = content.duplicated
        case .failure(let error): readBack.failure = context.secrets.redact("\(error)")
        }
        context.record(.readBack(readBack))
    }

    /// Tries until the deadline; a read is without effect, so it may be repeated after any failure.
    private func repeatedly<Value>(
        until deadline: Instant, _ body: (Instant) async throws(RedisError) -> Value
    ) async -> Result<Value, RedisError> {
        while true {
            let failure: RedisError
            do throws(RedisError) {
                return .success(try await body(min(deadline, context.time.now + Self.attempt)))
            } catch {
                failure = error
            }
            let pause = Span.milliseconds(250)
            if failure.code == .invalidURL || context.time.now + pause >= deadline { return .failure(failure) }
            do throws(CancellationError) {
                try await context.time.sleep(for: pause)
            } catch {
                return .failure(failure)
            }
        }
    }

    /// Reads all lists with one call and closes the connection. Lists that belong to other nodes of a cluster are left out.
    private func read(
        _ connection: RedisConnection, _ deadline: Instant
    ) async throws(RedisError) -> (sequences: [Int64], lists: Int) {
        // A replica of a cluster shows what it has only to clients that have said so; elsewhere it is an error.
        let isCluster = !settings.primary.cluster.isEmpty
        let commands = (isCluster ? [["READONLY"]] : []) + keys.reading
        let answers: RedisConnection.Answers
        do throws(RedisError) {
            answers = try await connection.call(pipeline: commands, until: deadline)
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        var (sequences, lists) = ([Int64](), 0)
        for answer in answers.values.dropFirst(isCluster ? 1 : 0) {
            if case .error(let text) = answer {
                if isCluster, Redirection(text, asked: "") != nil { continue }
                throw RedisError(answer: text, phase: .command, subject: connection.subject)
            }
            sequences += (answer.array ?? []).compactMap(RunKeys.sequence)
            lists += 1
        }
        return (sequences, lists)
    }

    private static func content(_ sequences: [Int64], at instant: Instant) -> Content {
        let sorted = sequences.sorted()
        return Content(present: ranges(sorted), duplicated: duplicates(sorted), at: instant)
    }

    /// Of ascending numbers, which may repeat.
    static func ranges(_ sequences: [Int64]) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for sequence in sequences {
            if let last = ranges.last, sequence <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(sequence, last.upperBound)
            } else {
                ranges.append(sequence...sequence)
            }
        }
        return ranges
    }

    /// Those that occur more than once, each once.
    static func duplicates(_ sequences: [Int64]) -> [Int64] {
        var duplicates: [Int64] = []
        for (first, second) in zip(sequences, sequences.dropFirst()) where first == second && duplicates.last != first {
            duplicates.append(first)
        }
        return duplicates
    }
}
