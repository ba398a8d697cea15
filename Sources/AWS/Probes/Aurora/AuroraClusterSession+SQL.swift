internal import Basics
internal import Contracts
internal import Experiment
internal import Postgres
internal import Synchronization

extension AuroraClusterSession {
    // MARK: The writer endpoint

    /// A connection of its own for each write: a kept one would go on to lead to the old writer.
    func write(through endpoint: DSN, _ client: PostgresClient) async {
        var write = EndpointWrite()
        await context.time.everyTick(probe.polling.every) {
            let sent = context.time.now
            let deadline = sent + probe.polling.timeout
            do throws(PostgresError) {
                let connection = try await client.connect(endpoint, context.secrets, until: deadline)
                await self.write(&write, connection, sent, until: deadline)
                await connection.close()
            } catch {
                if !Task.isCancelled {
                    wrote(sent: sent, end: error.endedAt ?? context.time.now, failure: error.reason)
                }
            }
        }
    }

    private func write(
        _ write: inout EndpointWrite, _ connection: PostgresConnection, _ sent: Instant, until deadline: Instant
    ) async {
        do throws(PostgresError) {
            let answer = try await connection.query(write.statement, until: deadline)
            // A commit that gave up waiting for its synchronous replica says so in a warning.
            let isWarned = answer.notices.contains { $0.severity == "WARNING" }
            wrote(sent: sent, end: answer.endedAt ?? context.time.now, failure: isWarned ? "warned-ack" : nil)
            await measureLag { sql throws(PostgresError) in try await connection.query(sql, until: deadline) }
        } catch {
            if Task.isCancelled { return }
            let end = error.endedAt ?? context.time.now
            guard write.simplify(after: error.sqlState) else {
                return wrote(sent: sent, end: end, failure: error.reason)
            }
            record.note(
                "no log message can be written (\(error.reason)): the write through the writer endpoint waits for no "
                    + "synchronous replica", at: end, .warning)
            await self.write(&write, connection, sent, until: deadline)
        }
    }

    // MARK: The instances

    func question(_ instance: NamedValue<DSN>, _ client: PostgresClient) async {
        let session = KeptSession(client, instance.value, context.secrets)
        await context.time.everyTick(probe.polling.every) {
            let deadline = context.time.now + probe.polling.timeout
            do throws(PostgresError) {
                let answer = try await session.query(AuroraClusterProbe.roleQuestion, until: deadline).result
                let isWriter = answer.boolean(0, 0).map { !$0 }
                let word = isWriter.map { $0 ? "primary" : "replica" } ?? "not understood"
                heard(instance.name, isWriter: isWriter, word, at: answer.endedAt ?? context.time.now)
                if isWriter == true, probe.endpoint == nil {
                    await measureLag { sql throws(PostgresError) in try await session.query(sql, until: deadline).result
                    }
                }
            } catch {
                if Task.isCancelled { return }
                let end = error.endedAt ?? context.time.now
                heard(instance.name, isWriter: nil, "silent: \(error.reason)", at: end)
            }
        }
        await session.close()
    }

    // MARK: Lag

    private func measureLag(_ ask: (String) async throws(PostgresError) -> QueryResult) async {
        do throws(PostgresError) {
            let known = functions.withLock { $0 }
            let offered: AuroraFunctions
            if let known {
                offered = known
            } else {
                offered = AuroraFunctions(try await ask(AuroraFunctions.question))
                functions.withLock { $0 = offered }
            }
            if offered.hasReplicaStatus {
                let answer = try await ask(AuroraLag.replicaQuestion)
                AuroraLag.replicas(answer, probe: probe.name, at: answer.endedAt ?? context.time.now)
                    .forEach(record.measure)
            }
            if offered.hasGlobalStatus {
                let answer = try await ask(AuroraLag.globalQuestion)
                AuroraLag.regions(answer, probe: probe.name, at: answer.endedAt ?? context.time.now)
                    .forEach(record.measure)
            }
        } catch {
            // No lag was read; that the connection broke is what the next question or write tells.
            return
        }
    }
}
